"""The recording target does each effect once per key, plays its troubles by seed, and tells all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from connectors.catalog.http.emulator import Book, Faults, Recorder, Target, read_log
from connectors.catalog.http.emulator.book import (
    counts_by_answer,
    doubled_events,
    effects_by_key,
    lanes,
)
from connectors.sdk.signatures import sign_standard
from tests.connectors.http.wire_call import answer, post, request

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def event(number: int, lane: str = "order:1") -> bytes:
    return msgspec.json.encode({"id": f"e{number}", "type": "t", "subject": lane})


async def test_the_same_key_twice_has_one_effect() -> None:
    async with Recorder() as target:
        first = await post(target.port, event(1), idempotency_key="k1")
        second = await post(target.port, event(1), idempotency_key="k1")

    book = target.target.book
    assert (first, second) == ((200, b'{"id":"rec_k1"}'), (200, b'{"id":"rec_k1"}'))
    assert book.effects == {"k1": 1}
    assert [(e.try_number, e.is_effect) for e in book.entries] == [(1, True), (2, False)]


async def test_a_target_may_say_conflict_to_a_repeat() -> None:
    async with Recorder(Target(repeat_status=409)) as target:
        await post(target.port, event(1), idempotency_key="k1")
        status, _ = await post(target.port, event(1), idempotency_key="k1")

    assert status == 409
    assert target.target.book.effects == {"k1": 1}


async def test_a_lost_answer_has_its_effect_and_the_repeat_has_none() -> None:
    async with Recorder(Target(faults=Faults(lost=1.0))) as target:
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await post(target.port, event(1), idempotency_key="k1")
        target.target.faults = Faults()
        status, _ = await post(target.port, event(1), idempotency_key="k1")

    assert status == 200
    assert [(e.seen, e.is_effect) for e in target.target.book.entries] == [
        ("lost", True),
        ("answered", False),
    ]


async def test_a_hung_request_has_no_effect_and_no_answer() -> None:
    async with Recorder(Target(faults=Faults(hang=1.0))) as target:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        writer.write(request(event(1), idempotency_key="k1"))
        # The console answers in order of arrival: when it speaks, the request was taken.
        _, counts = await post(target.port, b"", "/console/counts")
        while b'"requests":1' not in counts:
            _, counts = await post(target.port, b"", "/console/counts")
        writer.close()

    assert msgspec.json.decode(counts) == {
        "requests": 1, "effects": 0, "keys": 0, "answers": {"hung": 1},
    }  # fmt: skip
    assert not reader.at_eof()


async def test_answers_keep_their_order_on_one_connection_also_when_delayed() -> None:
    async with Recorder(Target(faults=Faults(delay_ms=1))) as target:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        writer.write(b"".join(request(event(n), idempotency_key=f"k{n}") for n in range(5)))
        got = [await answer(reader) for _ in range(5)]
        writer.close()

    assert got == [(200, f'{{"id":"rec_k{n}"}}'.encode()) for n in range(5)]


async def test_a_request_that_arrives_byte_by_byte_is_read_whole() -> None:
    async with Recorder() as target:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        for byte in request(event(1), idempotency_key="k1"):
            writer.write(bytes([byte]))
            await writer.drain()
        got = await answer(reader)
        writer.close()

    assert got == (200, b'{"id":"rec_k1"}')
    assert target.target.book.request_count == 1


def test_faults_come_in_their_shares_and_the_same_for_every_run() -> None:
    faults = Faults(errors=0.05, lost=0.01, hang=0.002)
    met = [faults.meet(7, f"key-{n}", 1) for n in range(50_000)]

    again = [faults.meet(7, f"key-{n}", 1) for n in reversed(range(50_000))]

    assert met == again[::-1]
    assert abs(met.count("error") - 2_500) < 250
    assert abs(met.count("lost") - 500) < 120
    assert abs(met.count("hung") - 100) < 50


def test_a_repeat_draws_anew() -> None:
    faults = Faults(errors=0.5)
    failed_first = [n for n in range(2_000) if faults.meet(1, str(n), 1) == "error"]

    failed_again = [n for n in failed_first if faults.meet(1, str(n), 2) == "error"]

    assert 0.4 < len(failed_again) / len(failed_first) < 0.6


@pytest.mark.parametrize("shares", [{"errors": -0.1}, {"errors": 0.6, "lost": 0.6}, {"hang": 2.0}])
def test_impossible_shares_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Shares of faults"):
        Faults(**shares)


async def test_the_console_changes_faults_while_it_runs() -> None:
    async with Recorder() as target:
        changed, _ = await post(target.port, b'{"unavailable":1.0}', "/console/faults")
        down, _ = await post(target.port, event(1), idempotency_key="k1")
        refused, _ = await post(target.port, b'{"errors":5}', "/console/faults")

    assert (changed, down, refused) == (200, 503, 400)
    assert target.target.faults == Faults(unavailable=1.0)
    assert target.target.book.effects == {}


async def test_only_what_the_secret_signed_is_taken() -> None:
    target = Target(secrets=(SECRET,), clock_ns=lambda: 1_614_265_330_000_000_000)
    signed = sign_standard(SECRET, "m1", 1_614_265_330, event(1))

    taken = target.take(signed | {"idempotency-key": "k1"}, event(1))
    forged = target.take(signed | {"idempotency-key": "k2"}, event(2))

    assert (taken.status, forged.status) == (200, 401)
    assert target.book.effects == {"k1": 1}


async def test_the_log_tells_judges_effects_lanes_and_doubles(tmp_path: Path) -> None:
    log = tmp_path / "target.jsonl"
    async with Recorder(Target(book=Book(log, keeps_entries=False))) as target:
        await post(target.port, event(1, "order:1"), idempotency_key="k1")
        await post(target.port, event(2, "order:2"), idempotency_key="k2")
        await post(target.port, event(3, "order:1"), idempotency_key="k3")
        await post(target.port, event(3, "order:1"), idempotency_key="k3-again")

    entries = list(read_log(log))
    assert effects_by_key(entries) == {"k1": 1, "k2": 1, "k3": 1, "k3-again": 1}
    assert doubled_events(entries) == {"e3": 2}
    assert [e.event_id for e in lanes(entries)["order:1"]] == ["e1", "e3", "e3"]
    assert counts_by_answer(entries) == {"200": 4}
    assert target.target.book.entries == []


async def test_a_log_cut_by_a_crash_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    log = tmp_path / "target.jsonl"
    async with Recorder(Target(book=Book(log))) as target:
        await post(target.port, event(1), idempotency_key="k1")
    log.write_bytes(log.read_bytes() + b'{"n":2,"at')

    assert [e.n for e in read_log(log)] == [1]


async def test_another_body_under_a_known_key_is_noted_and_not_done() -> None:
    async with Recorder() as target:
        await post(target.port, event(1), idempotency_key="k1")
        await post(target.port, event(2), idempotency_key="k1")

    assert [(e.differs, e.is_effect) for e in target.target.book.entries] == [
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize(
    "bytes_in",
    [
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"X" * 20_000,
    ],
)
async def test_what_is_no_request_ends_the_connection(bytes_in: bytes) -> None:
    async with Recorder() as target:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        writer.write(bytes_in)
        status, _ = await answer(reader)
        ended = await reader.read()
        writer.close()

    assert (status, ended) == (400, b"")
    assert target.target.book.request_count == 0


def order_of(*skus: str) -> bytes:
    lines = [{"sku": sku} for sku in skus]
    return msgspec.json.encode({"id": "e1", "subject": "order:1", "data": {"lines": lines}})


async def test_a_target_with_a_list_of_articles_refuses_all_others_and_names_the_line() -> None:
    async with Recorder(Target(articles=frozenset({"A-1", "A-2"}))) as target:
        known = await post(target.port, order_of("A-1", "A-2"), idempotency_key="k1")
        unknown = await post(target.port, order_of("A-1", "A-9"), idempotency_key="k2")
        corrected = await post(target.port, order_of("A-1", "A-2"), idempotency_key="k2")

    assert (known[0], unknown[0], corrected[0]) == (200, 422, 200)
    assert msgspec.json.decode(unknown[1])["errors"] == [
        {"pointer": "#/data/lines/1/sku", "code": "article.unknown"}
    ]
    assert target.target.book.effects == {"k1": 1, "k2": 1}


async def test_a_revoked_secret_is_refused_until_the_new_one_signs() -> None:
    told = [msgspec.json.encode([secret]) for secret in (SECRET, "whsec_" + "QUJD" * 11)]
    async with Recorder(Target(secrets=(SECRET,))) as target:
        headers = sign_standard(SECRET, "m1", target.target.clock_ns() // 10**9, event(1))
        before = await post(target.port, event(1), **headers)
        await post(target.port, told[1], "/console/secrets")
        revoked = await post(target.port, event(1), **headers)
        await post(target.port, told[0], "/console/secrets")
        after = await post(target.port, event(1), **headers)

    assert (before[0], revoked[0], after[0]) == (200, 401, 200)
