"""The judge is judged: every broken promise that is planted in synthetic logs must be found."""

from __future__ import annotations

from pathlib import Path

from connectors.catalog.http.emulator.book import Entry
from tests.chaos.judge import Verdict, judge, percentile, repeats
from tests.chaos.told import ClientLog, Told, read_told

SECOND = 1_000_000_000


def promised(*versions: int, lane: str = "a") -> list[Told]:
    """Both lines of events that were sent and accepted."""
    return [
        Told(what, lane, version, 0, 1, 202 if what == "acked" else 0)
        for version in versions
        for what in ("sent", "acked")
    ]


def request(version: int, *, lane: str = "a", key: str = "", **changes: object) -> Entry:
    """One request that the target did, unless told otherwise."""
    told: dict[str, object] = {
        "n": 1,
        "at_ns": 0,
        "key": key or f"{lane}-{version}",
        "lane": f"order:{lane}",
        "type": "retail.order.placed.v1",
        "event_id": f"{lane}-{version}",
        "version": str(version),
        "try_number": 1,
        "status": 200,
        "seen": "answered",
        "is_effect": True,
        **changes,
    }
    return Entry(**told)  # type: ignore[arg-type]


def test_a_run_without_fault_is_found_clean() -> None:
    told = [*promised(1, 2, 3), *promised(1, 2, lane="b")]
    entries = [request(1), request(1, lane="b"), request(2), request(2, lane="b"), request(3)]

    verdict = judge(told, entries)

    assert verdict == Verdict()
    assert verdict.is_clean()


def test_a_planted_loss_is_found() -> None:
    entries = [request(1), request(3)]

    verdict = judge(promised(1, 2, 3), entries)

    assert verdict == Verdict(lost=(("a", 2),))
    assert not verdict.is_clean()


def test_an_event_that_was_only_refused_and_tried_again_counts_as_lost() -> None:
    entries = [request(1, is_effect=False, status=500), request(1, is_effect=False, seen="hung")]

    assert judge(promised(1), entries).lost == (("a", 1),)


def test_an_event_that_was_never_accepted_is_not_missed() -> None:
    told = [*promised(1), Told("sent", "a", 2, 0, 3)]

    assert judge(told, [request(1)]) == Verdict()


def test_a_planted_inversion_is_found_also_when_both_are_done() -> None:
    entries = [request(1), request(3), request(2)]

    assert judge(promised(1, 2, 3), entries) == Verdict(inverted=(("a", 2),))


def test_order_counts_within_a_lane_and_not_between_lanes() -> None:
    told = [*promised(1, 2), *promised(1, 2, lane="b")]
    entries = [request(1), request(2), request(1, lane="b"), request(2, lane="b")]

    assert judge(told, entries) == Verdict()


def test_a_planted_double_is_found_although_it_came_with_another_key() -> None:
    entries = [request(1), request(1, key="another"), request(2)]

    assert judge(promised(1, 2), entries) == Verdict(doubled=(("a", 1),))


def test_an_effect_that_nobody_sent_is_found() -> None:
    assert judge(promised(1), [request(1), request(7)]).invented == (("a", 7),)


def test_a_known_key_with_another_body_is_found() -> None:
    entries = [request(1), request(1, is_effect=False, differs=True)]

    assert judge(promised(1), entries).changed == (("a", 1),)


def test_repeats_after_an_answer_are_counted_with_the_time_they_took() -> None:
    entries = [
        request(1, at_ns=0),
        request(1, at_ns=3 * SECOND, is_effect=False),
        request(2, at_ns=0, seen="lost", status=0),
        request(2, at_ns=SECOND, is_effect=False),
        request(3, at_ns=0, is_effect=False, status=500),
        request(3, at_ns=SECOND),
    ]

    found = repeats(entries)

    assert found.count == 1
    assert found.effects == 3
    assert found.waits_s == (3.0,)


def test_percentile_of_nothing_is_zero_and_of_many_is_the_value_at_that_place() -> None:
    assert percentile([], 0.99) == 0.0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0


def test_the_clients_log_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    log = ClientLog(tmp_path / "clients.jsonl")
    for told in promised(1, 2):
        log.write(told)
    log.close()

    assert list(read_told(tmp_path / "clients.jsonl")) == promised(1, 2)
    assert log.acked == 2
