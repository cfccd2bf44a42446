"""The pure rules: what makes one incident, how grave it is, what is told of it, what caused it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from app.exceptions.incidents.cause import KnownChange, Scene, best_change
from app.exceptions.incidents.fingerprint import fingerprint, normalised, trouble_of
from app.exceptions.incidents.incident import Incident
from app.exceptions.incidents.measure import Measured
from app.exceptions.incidents.nouns import field, listed, money, things
from app.exceptions.incidents.progress import Look, advance, open_with
from app.exceptions.incidents.rules import RULES, class_of, reason_of, runbook_of, title_of
from app.exceptions.incidents.severity import Gravity, severity_of, share_of, weight_of
from app.exceptions.incidents.tell import Setting
from connectors.sdk.errors import ErrorClass
from infra.ids import new_id

AT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
TENANT, CONNECTION = new_id(), new_id()
ROOT = Path(__file__).parents[4]


def test_every_class_of_error_has_its_rules() -> None:
    assert set(RULES) == set(get_args(ErrorClass))


@pytest.mark.parametrize("error_class", RULES)
def test_every_class_names_a_runbook_that_is_there(error_class: str) -> None:
    assert (ROOT / f"docs/runbooks/{runbook_of(error_class, 'any.code')}.md").is_file()


@pytest.mark.parametrize("error_class", RULES)
def test_what_people_read_is_no_technics(error_class: str) -> None:
    rules = RULES[error_class]

    said = f"{rules.title} {rules.next_step} {rules.no_change}".lower()

    for word in ("http", "timeout", "retry", "queue", "exception", "payload", "null", "token"):
        assert word not in said


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/lines/0/tax", "/lines/*/tax"),
        ("/lines/12", "/lines/*"),
        ("/lines/3/discounts/0/amount", "/lines/*/discounts/*/amount"),
        ("/lines/-/tax", "/lines/*/tax"),
        ("/line1/2nd", "/line1/2nd"),
        ("", ""),
    ],
)
def test_positions_make_no_difference(pointer: str, expected: str) -> None:
    assert normalised(pointer) == expected


def test_a_cause_has_one_fingerprint_at_all_retailers() -> None:
    first = fingerprint("tryton", "data", "sku.unknown", "/lines/0/sku")
    second = fingerprint("tryton", "data", "sku.unknown", "/lines/7/sku")

    assert first == second
    assert len(first) == 32
    others = [
        fingerprint("shopify", "data", "sku.unknown", "/lines/0/sku"),
        fingerprint("tryton", "contract", "sku.unknown", "/lines/0/sku"),
        fingerprint("tryton", "data", "sku.ambiguous", "/lines/0/sku"),
        fingerprint("tryton", "data", "sku.unknown", "/lines/0/gtin"),
    ]
    assert len({first, *others}) == 5


@pytest.mark.parametrize("error_class", ["transient", "auth", "rate"])
def test_where_the_connection_is_the_cause_codes_make_no_difference(error_class: str) -> None:
    troubles = {
        trouble_of(TENANT, CONNECTION, "tryton", error_class, code, pointer)
        for code, pointer in (("target.error", ""), ("retries.exhausted", "/a"), ("", ""))
    }

    assert len(troubles) == 1


@pytest.mark.parametrize(
    ("stored", "code", "expected"),
    [
        ("", "outcome.unknown", "unknown"),
        ("unknown", "outcome.unknown", "unknown"),
        # Never answered is a silent system as long as it is tried again.
        ("unknown", "target.answer_lost", "transient"),
        ("unknown", "retries.exhausted", "transient"),
        ("data", "whatever.code", "data"),
        ("", "contract.missing_field", "contract"),
        ("", "target.authorization_lost", "auth"),
        ("", "target.predecessor_missing", "dependency"),
        ("", "nobody.knows", "data"),
    ],
)
def test_a_record_without_a_class_gets_that_of_its_code(
    stored: str, code: str, expected: str
) -> None:
    assert class_of(stored, code) == expected


def test_a_code_may_say_more_than_its_class() -> None:
    assert "fault of ours" in title_of("contract", "worker.crashed")
    assert runbook_of("contract", "worker.crashed") == "worker-crashed"
    assert reason_of("sku.unknown") == "the article is not known there"


@pytest.mark.parametrize(
    ("families", "records", "expected"),
    [
        ({"order": 8112}, 9000, "8,112 orders"),
        ({"order": 1}, 1, "1 order"),
        ({"order": 3, "refund": 2}, 6, "6 records"),
        ({"": 2}, 2, "2 records"),
    ],
)
def test_things_are_counted_as_people_count_them(
    families: dict[str, int], records: int, expected: str
) -> None:
    assert things(families, records) == expected


def test_money_is_exact_and_the_largest_comes_first() -> None:
    amounts = {"EUR": Decimal(20), "USD": Decimal("1480.5"), "KWD": Decimal("1.2345")}

    assert money(amounts) == "1,480.50 USD, 20.00 EUR and 1.2345 KWD"
    assert money({}) == ""


def test_lists_and_fields_are_words() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert field("/lines/*/unit_price") == "unit price of lines"


def gravity(**changes: Any) -> Gravity:
    values: dict[str, Any] = {
        "error_class": "data",
        "records": 1,
        "urgent": 0,
        "at_risk": {},
        "share": 0,
    }
    return Gravity(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1),
        ({"error_class": "auth"}, 2),
        ({"error_class": "auth", "records": 0}, 1),
        ({"records": 9, "urgent": 9}, 1),
        ({"records": 10, "urgent": 10}, 2),
        ({"records": 100, "urgent": 49}, 1),
        ({"records": 100, "urgent": 50}, 2),
        ({"records": 1000}, 2),
        ({"at_risk": {"USD": Decimal("999.99")}}, 1),
        ({"at_risk": {"USD": Decimal("1000.00")}}, 2),
        ({"at_risk": {"USD": Decimal(10000)}}, 3),
        ({"at_risk": {"JPY": Decimal(10000)}}, 1),
        ({"at_risk": {"JPY": Decimal(100000)}}, 2),
        ({"at_risk": {"USD": Decimal(50)}, "thresholds": {"USD": {"notable": "40"}}}, 2),
        ({"at_risk": {"USD": Decimal(50)}, "thresholds": {"USD": {"severe": "40"}}}, 3),
        ({"at_risk": {"USD": Decimal(50)}, "thresholds": {"USD": {"severe": "x"}}}, 1),
        ({"share": 50}, 2),
        ({"share": 80}, 3),
        ({"share": 100}, 3),
    ],
)
def test_severity_is_the_highest_that_any_rule_asks_for(
    changes: dict[str, Any], expected: int
) -> None:
    assert severity_of(gravity(**changes)) == expected


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, 0), (29, 0), (30, 50), (47, 50), (48, 80), (60, 100), (90, 100)]
)
def test_shares_of_the_time_to_a_deadline(minutes: int, expected: int) -> None:
    deadline = AT + timedelta(minutes=60)

    assert share_of(AT, deadline, AT + timedelta(minutes=minutes)) == expected
    assert share_of(AT, None, AT + timedelta(minutes=minutes)) == 0


def test_the_list_is_ordered_by_money_times_urgency() -> None:
    little_but_late = weight_of({"USD": Decimal(300)}, 3, 3, 100)
    much_but_calm = weight_of({"USD": Decimal(2000)}, 3, 1, 0)
    many_without_money = weight_of({}, 40, 1, 0)

    assert little_but_late == Decimal(4800)
    assert much_but_calm == Decimal(4000)
    assert many_without_money == Decimal(80)


def incident(**changes: Any) -> Incident:
    values: dict[str, Any] = {
        "id": new_id(),
        "tenant_id": TENANT,
        "fingerprint": b"x",
        "connection_id": CONNECTION,
        "connector": "tryton",
        "error_class": "transient",
        "code": "",
        "pointer": "",
        "title": "",
        "first_seen_at": AT,
        "last_seen_at": AT,
        "since_at": AT,
    }
    return Incident(**{**values, **changes})


def look(records: int, at: datetime = AT, **changes: Any) -> Look:
    changes.setdefault("quiet_for", timedelta(0))
    is_broken = changes.pop("is_broken", False)
    since_at = changes.pop("since_at", None)
    quiet_for = changes.pop("quiet_for")
    measured = Measured(waiting=records, families={"order": records} if records else {}, **changes)
    return Look(
        measured, at, Setting("ERP"), is_broken=is_broken, since_at=since_at, quiet_for=quiet_for
    )


def kinds(moments: list[Any]) -> list[str]:
    return [moment.kind for moment in moments]


def test_an_incident_opens_ages_and_ends() -> None:
    opened, first = open_with(incident(), look(5))
    same, nothing = advance(opened, look(5, AT + timedelta(seconds=2)))
    older, aged = advance(same, look(5, AT + timedelta(minutes=15)))
    ended, last = advance(older, look(0, AT + timedelta(minutes=16)))
    still_ended, silent = advance(ended, look(0, AT + timedelta(minutes=17)))

    assert (opened.state, kinds(first)) == ("new", ["opened"])
    assert (same.state, nothing) == ("new", [])
    assert (older.state, aged) == ("ongoing", [])
    assert (ended.state, kinds(last)) == ("resolved", ["resolved"])
    assert ended.resolved_by == "system"
    assert "Nothing is held or waiting any more" in last[0].words
    assert (still_ended, silent) == (ended, [])


def test_it_does_not_end_within_the_quiet_time() -> None:
    opened, _ = open_with(incident(), look(5))

    quiet = timedelta(seconds=15)
    calm, none = advance(opened, look(0, AT + timedelta(seconds=14), quiet_for=quiet))
    over, ended = advance(calm, look(0, AT + timedelta(seconds=15), quiet_for=quiet))

    assert (calm.state, none) == ("new", [])
    assert (over.state, kinds(ended)) == ("resolved", ["resolved"])


@pytest.mark.parametrize(
    ("days", "state", "kind"), [(30, "regressed", "regressed"), (31, "new", "opened")]
)
def test_what_comes_back_within_a_month_is_the_same_trouble(
    days: int, state: str, kind: str
) -> None:
    opened, _ = open_with(incident(), look(5))
    ended, _ = advance(opened, look(0))
    again_at = AT + timedelta(days=days)

    back, moments = advance(ended, look(3, again_at, since_at=again_at))
    same, nothing = advance(back, look(3, again_at + timedelta(seconds=2)))

    assert (back.state, kinds(moments)) == (state, [kind])
    assert (same.state, nothing) == (state, [])
    assert back.since_at == again_at
    assert back.first_seen_at == (AT if state == "regressed" else again_at)
    assert back.resolved_at is None


def test_tenfold_growth_is_told_once_for_each_tenfold() -> None:
    opened, _ = open_with(incident(), look(12))
    told = []
    for records in (119, 120, 130, 1199, 1200, 1200):
        opened, moments = advance(opened, look(records))
        told.append([kind for kind in kinds(moments) if kind == "grown"])

    assert told == [[], ["grown"], [], [], ["grown"], []]
    assert opened.state == "ongoing"


def test_a_handful_that_grows_to_dozens_is_no_news() -> None:
    opened, _ = open_with(incident(), look(1))

    _, moments = advance(opened, look(99))

    assert "grown" not in kinds(moments)


def test_more_gravity_is_told_once_also_when_it_goes_up_and_down() -> None:
    opened, _ = open_with(incident(), look(1))
    told = []
    for amount in ("5", "1000", "5", "1000", "10000", "10000"):
        opened, moments = advance(opened, look(1, at_risk={"USD": Decimal(amount)}))
        told.append(kinds(moments))

    assert told == [[], ["escalated"], [], [], ["escalated"], []]


def test_half_and_four_fifths_of_the_time_to_a_deadline_are_told_once_each() -> None:
    deadline = {"deadline_at": AT + timedelta(minutes=100), "began_at": AT}
    opened, _ = open_with(incident(), look(1, **deadline))
    told = []
    for minutes in (49, 50, 51, 80, 81, 100, 200):
        opened, moments = advance(opened, look(1, AT + timedelta(minutes=minutes), **deadline))
        told += [(minutes, moment.words.partition(" of the time")[0]) for moment in moments]

    assert [minutes for minutes, _ in told] == [50, 80, 100]
    assert told[0][1] == "50 %"
    assert told[2][1].startswith("The first deadline has passed.")
    assert opened.deadline_words == "The first of them is due by 23 Nov, 08:40."


def test_a_broken_connection_is_an_incident_although_nothing_waits() -> None:
    opened, moments = open_with(incident(error_class="auth"), look(0, is_broken=True, since_at=AT))

    assert kinds(moments) == ["opened"]
    assert opened.title == "ERP has not let us in since 23 Nov, 07:00"
    assert advance(opened, look(0, is_broken=True))[0].state == "new"


@pytest.mark.parametrize(
    ("error_class", "kind", "worked_hours_before", "is_named"),
    [
        ("auth", "credential", 3, True),
        ("auth", "credential", 1, False),
        ("transient", "connection", 1, False),
        # A wrong value spoils some records; that others passed says nothing for the mapping.
        ("data", "mapping", 1, True),
    ],
)
def test_a_change_after_which_the_whole_connection_worked_is_not_its_undoing(
    error_class: str, kind: str, worked_hours_before: float, is_named: bool
) -> None:
    here = {"flow_id": FLOW} if kind == "mapping" else {"connection_id": CONNECTION}
    worked_at = AT - timedelta(hours=worked_hours_before)
    scene = Scene(error_class, "http", CONNECTION, AT, frozenset({FLOW}), worked_at=worked_at)

    found = best_change([change(kind, 2, **here)], scene)

    assert (found is not None) == is_named


MAPPING, CREDENTIAL = new_id(), new_id()
FLOW, OTHER_FLOW, SOURCE, ELSEWHERE = new_id(), new_id(), new_id(), new_id()


def change(kind: Any, hours_before: float, **where: Any) -> KnownChange:
    at = AT - timedelta(hours=hours_before)
    return KnownChange(new_id(), at, kind, f"{kind} {hours_before}", "person.ada", **where)


def chosen(error_class: str, *changes: KnownChange) -> str | None:
    scene = Scene(error_class, "tryton", CONNECTION, AT, frozenset({FLOW}), frozenset({SOURCE}))
    best = best_change(changes, scene)
    return None if best is None else best.words


@pytest.mark.parametrize(
    ("error_class", "changes", "expected"),
    [
        ("auth", [change("credential", 60, connection_id=CONNECTION)], "credential 60"),
        ("auth", [change("mapping", 1, flow_id=FLOW)], None),
        ("data", [change("mapping", 60, flow_id=FLOW)], "mapping 60"),
        ("data", [change("mapping", 60, flow_id=OTHER_FLOW)], None),
        ("data", [change("mapping", 97, flow_id=FLOW)], None),
        ("data", [change("mapping", -0.1, flow_id=FLOW)], None),
        ("data", [change("credential", 1, connection_id=CONNECTION)], None),
        ("data", [change("release", 1, is_ours=True)], "release 1"),
        ("data", [change("release", 1, is_ours=True, detail={"is_first": True})], None),
        ("data", [change("vendor_api", 1, connector="tryton")], "vendor_api 1"),
        ("data", [change("vendor_api", 1, connector="shopify")], None),
        ("data", [change("connection", 1, connection_id=SOURCE)], "connection 1"),
        ("data", [change("connection", 1, connection_id=ELSEWHERE)], None),
        ("transient", [change("mapping", 1, flow_id=FLOW)], None),
        ("transient", [change("connection", 2, connection_id=CONNECTION)], "connection 2"),
        ("transient", [], None),
        # What fits better wins although something else was nearer.
        (
            "contract",
            [change("mapping", 60, flow_id=FLOW), change("release", 1, is_ours=True)],
            "mapping 60",
        ),
        # Of two that fit alike, the nearer one.
        (
            "data",
            [change("mapping", 60, flow_id=FLOW), change("mapping", 2, flow_id=FLOW)],
            "mapping 2",
        ),
    ],
)
def test_the_change_before_is_the_one_that_fits_best(
    error_class: str, changes: list[KnownChange], expected: str | None
) -> None:
    assert chosen(error_class, *changes) == expected
