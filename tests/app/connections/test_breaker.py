"""The breaker: opens on what speaks against a connection, probes alone, closes when it works."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from typing import get_args

import pytest
import time_machine

from app.connections.breaker import (
    MOVES,
    BreakerState,
    Event,
    FailureWindow,
    Sign,
    next_probe_s,
)
from app.connections.health import (
    close_breaker,
    fail_probe,
    lose_authorization,
    open_breaker,
    read_health,
    restore_authorization,
    take_probe,
)
from app.connections.watch import ConnectionWatch, sign_of
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    NotYet,
    Outcome,
    Rejected,
    RetryLater,
    Unknown,
)
from infra.clock import now
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import Session, begin
from infra.ids import Id
from tests.app.connections.test_pace import Clock
from tests.app.retailer import make_retailer

_WORKED: tuple[Sign, ...] = ("worked",)
_FAILED: tuple[Sign, ...] = ("failed",)
UNREACHABLE = RetryLater("target.unreachable", "No connection.")


async def a_connection(database: Database) -> tuple[Id, Id]:
    retailer = await make_retailer(database)
    return retailer.id, await retailer.connect("erp")


async def state_of(database: Database, key: tuple[Id, Id]) -> BreakerState:
    async with begin(EngineScope(), database) as session:
        return (await read_health(session, *key)).state


def opens(signs: Sequence[Sign], clock: Clock, *, apart_s: float = 0) -> list[bool]:
    window = FailureWindow(clock)
    opened = []
    for sign in signs:
        clock.now_s += apart_s
        opened.append(window.note(sign))
    return opened


def test_half_of_twenty_attempts_failing_opens_and_less_does_not() -> None:
    half = opens([*_WORKED * 10, *_FAILED * 10], Clock())
    less = opens([*_WORKED * 11, *_FAILED * 10], Clock())

    assert half == [False] * 19 + [True]
    assert not any(less)


def test_failures_older_than_a_minute_no_longer_count() -> None:
    assert not any(opens(["failed"] * 100, Clock(), apart_s=3.5))


def test_five_failures_to_connect_in_a_row_open_and_an_answer_between_does_not() -> None:
    assert opens(["unconnected"] * 5, Clock()) == [False, False, False, False, True]
    four: list[Sign] = ["unconnected"] * 4
    between: list[Sign] = [*four, "answered", *four]
    assert not any(opens(between, Clock()))


def test_rejected_records_and_our_own_limits_never_open() -> None:
    signs: list[Sign] = ["answered", "silent"] * 100

    assert not any(opens(signs, Clock()))


def test_the_pause_between_probes_doubles_up_to_five_minutes() -> None:
    pauses = [15.0]
    for _ in range(6):
        pauses.append(next_probe_s(pauses[-1]))

    assert pauses == [15, 30, 60, 120, 240, 300, 300]


@pytest.mark.parametrize(
    ("outcome", "sign"),
    [
        (Delivered(), "worked"),
        (Duplicate(), "worked"),
        (Rejected("a.b", "/x", "No."), "answered"),
        (NotYet("order", "Wait."), "answered"),
        (AuthorizationLost("Gone."), "answered"),
        (Unknown("Lost."), "failed"),
        (RetryLater("target.busy", "Busy.", status=503), "failed"),
        (RetryLater("target.busy", "Slow down.", status=429), "answered"),
        (UNREACHABLE, "unconnected"),
        (RetryLater("target.dns", "No name."), "unconnected"),
        (RetryLater("pace.exhausted", "Budget."), "silent"),
        (RetryLater("egress.address_blocked", "Closed."), "silent"),
        (RetryLater("connection.credentials_missing", "None."), "silent"),
    ],
)
def test_each_outcome_speaks_for_the_connection_as_the_rules_say(
    outcome: Outcome, sign: Sign
) -> None:
    assert sign_of(outcome) == sign


@pytest.mark.parametrize(("state", "event"), list(product(get_args(BreakerState), get_args(Event))))
async def test_every_pair_of_state_and_event_moves_as_the_table_says(
    database: Database, state: BreakerState, event: Event
) -> None:
    key = await a_connection(database)
    before, after = MOVES[event]
    async with begin(EngineScope(), database) as session:
        await session.execute(
            "insert into connection_health (tenant_id, connection_id, state, closed_until)"
            " values ($1, $2, $3, now() - interval '1 second')",
            *key,
            state,
        )
    async with begin(EngineScope(), database) as session:
        did_move = await _cause(session, key, event)

    assert did_move == (state in before)
    assert await state_of(database, key) == (after if state in before else state)


async def _cause(session: Session, key: tuple[Id, Id], event: Event) -> bool:
    match event:
        case "tripped":
            return await open_breaker(session, *key, "Down.")
        case "probe_due":
            return await take_probe(session, *key)
        case "probe_worked":
            return await close_breaker(session, *key) is not None
        case "probe_failed":
            return await fail_probe(session, *key, "Still down.")
        case "denied":
            return await lose_authorization(session, *key, "Revoked.")
        case "admitted":
            return await restore_authorization(session, *key)


async def test_of_many_workers_exactly_one_wins_the_probe(database: Database) -> None:
    key = await a_connection(database)
    async with begin(EngineScope(), database) as session:
        await open_breaker(session, *key, "Down.")

    async def try_once() -> bool:
        async with begin(EngineScope(), database) as session:
            return await take_probe(session, *key)

    early = await try_once()
    with time_machine.travel(now() + timedelta(seconds=16), tick=False):
        won = await asyncio.gather(*(try_once() for _ in range(6)))

    assert not early
    assert sorted(won) == [False] * 5 + [True]


async def test_a_connection_that_cannot_be_reached_rests_is_probed_and_goes_on(
    database: Database,
) -> None:
    key = await a_connection(database)
    watch, other = ConnectionWatch(database), ConnectionWatch(database)
    for _ in range(5):
        assert await watch.may_call(*key)
        await watch.learn(*key, UNREACHABLE)

    assert await state_of(database, key) == "open"
    assert not await watch.may_call(*key)
    assert not await other.may_call(*key)
    with time_machine.travel(now() + timedelta(seconds=16), tick=False):
        assert await watch.may_call(*key)
        await watch.learn(*key, UNREACHABLE)
        assert not await watch.may_call(*key)
    with time_machine.travel(now() + timedelta(seconds=47), tick=False):
        assert await watch.may_call(*key)
        await watch.learn(*key, Delivered())
        assert await watch.may_call(*key)

    async with begin(EngineScope(), database) as session:
        health = await read_health(session, *key)
    assert (health.state, health.closed_until, health.probe_s) == ("closed", None, 15)
    assert health.last_success_at is not None


async def test_a_lost_authorization_stops_everything_for_an_hour_and_says_why(
    database: Database,
) -> None:
    key = await a_connection(database)
    watch = ConnectionWatch(database)

    await watch.learn(*key, AuthorizationLost("The key was revoked."))

    assert not await watch.may_call(*key)
    async with begin(EngineScope(), database) as session:
        health = await read_health(session, *key)
    assert (health.state, health.reason) == ("authorization_lost", "The key was revoked.")
    with time_machine.travel(now() + timedelta(minutes=61), tick=False):
        assert await watch.may_call(*key)
        await watch.learn(*key, AuthorizationLost("The key was revoked."))
    assert await state_of(database, key) == "authorization_lost"
