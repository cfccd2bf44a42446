"""The rules of promises and ends, case by case: plain values in, plain values out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.exceptions.replay.facts import Facts
from app.exceptions.replay.happened import (
    End,
    MessageEnd,
    happened_to,
    happened_to_message,
)
from app.exceptions.replay.limits import Limits, why_approval
from app.exceptions.replay.promise import Judged, promise_of
from connectors.sdk.manifest import Action
from infra.ids import new_id

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACTION = Action(name="push", events=["retail.order.placed.v1"], keys="native", title="Send")
FACTS = Facts(
    number=1, promised="", pinned_version=None, id=new_id(), event_id=new_id(),
    message_id=new_id(), flow_id=new_id(), source_connection_id=new_id(), connection_id=new_id(),
    lane_hash=b"", state="delivered", code="", replay_no=0, effect_key="key", external_ref="",
    accepted_at=NOW - timedelta(hours=30), settled_at=NOW - timedelta(hours=25),
    type="retail.order.placed.v1", key="order:1", label="Order #1", amount=Decimal(20),
    currency="USD", action="push", ordering="strict", version=2, connector="http",
    connection_state="active", message_state="settled", last_outcome="Delivered", last_version=2,
    version_then=None, open_hold_id=None, is_enabled=True, is_paused=False, is_erased=False,
    is_newer_delivered=False, is_newer_open=False, is_other_open=False, is_newer_here=False,
    is_replayed_since=False, is_blocked=False, is_elsewhere=False,
)  # fmt: skip
HELD = replace(FACTS, state="held", settled_at=None, open_hold_id=new_id(), last_outcome="Rejected")


@pytest.mark.parametrize(
    ("facts", "action", "promised"),
    [
        (FACTS, {}, "no_op"),
        (FACTS, {"repeats": "update"}, "update"),
        (FACTS, {"keys": "none"}, "update"),
        (FACTS, {"keys_kept_h": 24}, "conflict"),
        (FACTS, {"keys_kept_h": 26}, "no_op"),
        (replace(FACTS, last_version=1), {}, "conflict"),
        (replace(FACTS, last_version=1), {"repeats": "update"}, "update"),
        (replace(FACTS, last_version=None, version_then=1), {}, "conflict"),
        (replace(FACTS, is_newer_delivered=True), {}, "stale"),
        (replace(FACTS, is_newer_open=True), {}, "stale"),
        (replace(FACTS, is_newer_here=True), {}, "stale"),
        (replace(FACTS, is_other_open=True), {}, "conflict"),
        (replace(FACTS, is_newer_delivered=True), {"repeats": "update"}, "stale"),
        (replace(FACTS, is_blocked=True), {}, "conflict"),
        (replace(FACTS, is_elsewhere=True), {}, "conflict"),
        (replace(FACTS, is_replayed_since=True), {}, "conflict"),
        (replace(FACTS, message_state="received"), {}, "conflict"),
        (replace(FACTS, state="discarded"), {}, "create"),
        (replace(FACTS, state="discarded", last_outcome="Unknown"), {}, "create"),
        (replace(FACTS, state="discarded", last_outcome="Unknown"), {"keys": "lookup"}, None),
        (HELD, {}, "create"),
        (replace(HELD, is_newer_delivered=True), {}, "create"),
        (replace(HELD, is_newer_delivered=True, ordering="none"), {}, "stale"),
        (replace(HELD, open_hold_id=None), {}, "conflict"),
        (replace(HELD, is_blocked=True), {}, "create"),
        (replace(HELD, state="waiting", is_blocked=True), {}, "conflict"),
        (replace(HELD, state="checking"), {"keys": "lookup"}, None),
        (replace(HELD, code="outcome.unknown"), {"keys": "lookup"}, None),
        (replace(HELD, code="outcome.unknown"), {"keys": "external_ref"}, "create"),
    ],
)
def test_each_case_has_its_promise(
    facts: Facts, action: dict[str, object], promised: str | None
) -> None:
    promise = promise_of(Judged(facts, ACTION.model_copy(update=action), "now", NOW))

    assert (promise.promised if promise else None) == promised


@pytest.mark.parametrize(
    ("facts", "promised", "pinned"),
    [
        (replace(HELD, last_version=1), "create", 1),
        (replace(HELD, last_version=2), "create", None),
        (replace(HELD, last_version=None, version_then=1), "create", 1),
        (replace(HELD, last_version=None), "conflict", None),
        (replace(HELD, last_version=None, version=1), "create", None),
        (replace(FACTS, last_version=1), "no_op", 1),
    ],
)
def test_the_mapping_of_then_is_pinned_where_it_is_known(
    facts: Facts, promised: str, pinned: int | None
) -> None:
    promise = promise_of(Judged(facts, ACTION, "as_then", NOW))

    assert promise is not None
    assert (promise.promised, promise.pinned_version) == (promised, pinned)


@pytest.mark.parametrize(
    ("promised", "end", "happened"),
    [
        ("create", End("delivered", "Delivered", reference="A"), "create"),
        ("create", End("delivered", "Duplicate"), "no_op"),
        ("update", End("delivered", "Delivered"), "update"),
        ("update", End("delivered", "Duplicate"), "no_op"),
        ("no_op", End("delivered", "Duplicate"), "no_op"),
        ("no_op", End("delivered", "Delivered", reference="A", reference_before="A"), "no_op"),
        ("no_op", End("delivered", "Delivered", reference="B", reference_before="A"), "create"),
        ("no_op", End("delivered", "Delivered"), "no_op"),
        ("create", End("held", "Rejected", "target.refused", "No."), "held"),
        ("create", End("superseded"), "stale"),
        ("create", End("discarded"), "discarded"),
        ("create", End("cancelled"), "cancelled"),
    ],
)
def test_each_end_has_its_name(promised: str, end: End, happened: str) -> None:
    assert happened_to(promised, end).what == happened


_DELIVERED = End("delivered", "Delivered")
_LATE = End("superseded")
_HELD = End("held", "Rejected", "target.refused", "No.")


@pytest.mark.parametrize(
    ("promised", "state", "fate", "deliveries", "happened"),
    [
        ("create", "settled", "routed", (_DELIVERED, _DELIVERED), "create"),
        ("create", "settled", "routed", (_DELIVERED,), "partly"),
        ("create", "settled", "routed", (_DELIVERED, _LATE), "partly"),
        ("create", "settled", "routed", (_LATE, _LATE), "stale"),
        ("create", "prepared", "routed", (_DELIVERED, _HELD), "held"),
        ("create", "held", "", (), "held"),
        ("create", "discarded", "discarded", (), "discarded"),
        ("create", "settled", "skipped", (), "no_op"),
        ("read_again", "settled", "routed", (_DELIVERED,), "read_again"),
        ("read_again", "settled", "merged", (), "read_again"),
        ("read_again", "held", "", (), "held"),
    ],
)
def test_each_end_of_a_message_has_its_name(
    promised: str, state: str, fate: str, deliveries: tuple[End, ...], happened: str
) -> None:
    end = MessageEnd(state, fate, deliveries=deliveries)

    assert happened_to_message(promised, 2, end).what == happened


def test_money_in_each_currency_is_held_against_the_limit() -> None:
    by = {
        "create": {"records": 1, "amounts": {"USD": "30.00", "EUR": "10.00"}},
        "update": {"records": 1, "amounts": {"USD": "30.00"}},
        "no_op": {"records": 1, "amounts": {"USD": "900.00"}},
        "conflict": {"records": 9, "amounts": {"USD": "900.00"}},
    }
    limits = Limits(records=3, amount=Decimal(50))

    assert why_approval({"by": by, "effects": {"books an order": 2}}, limits) == (
        "60.00 USD is more than the 50.00 one person may."
    )
    assert why_approval({"by": by, "effects": {}}, Limits(3, Decimal(60))) == ""
    assert "refunds the customer" in why_approval(
        {"by": {}, "effects": {"refunds the customer": 1}}, limits
    )
