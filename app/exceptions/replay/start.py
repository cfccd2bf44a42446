"""Start, approve and cancel a replay: who may when, and what is left out from the beginning."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.exceptions.replay.read import Replay, find_replay
from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import Conflict, Forbidden
from infra.ids import Id
from tenants.audit import record

# What a preview says grows old; every record is judged once more when its turn comes.
START_WITHIN = timedelta(minutes=15)
APPROVE_WITHIN = timedelta(hours=4)
LEFT_OUT_WORDS = "Left out: it could not be done safely."


class PreviewTooOld(Conflict):
    """What was promised may not be so any more."""

    code = "replay.preview_too_old"

    def __init__(self) -> None:
        super().__init__(
            "This preview is too old to act on. Preview the same selection again, then start."
        )


class WrongState(Conflict):
    """The replay is not where this act belongs."""

    code = "replay.wrong_state"


class NothingToDo(Conflict):
    """Every chosen record was left out."""

    code = "replay.nothing_to_do"

    def __init__(self) -> None:
        super().__init__(
            "None of these records can be replayed safely. The items say why, one by one."
        )


class SamePerson(Forbidden):
    """Who asked for a replay cannot approve it."""

    code = "replay.second_person_needed"

    def __init__(self) -> None:
        super().__init__(
            "This replay needs a second person. Somebody else who may approve replays must do it."
        )


async def start_replay(scope: TenantScope, database: Database, replay_id: Id) -> Replay:
    """Let a previewed replay run, or wait for the second person that it needs.

    Raises: NotFound, WrongState, PreviewTooOld, NothingToDo.
    """
    async with begin(scope, database) as session:
        replay = await find_replay(session, scope.tenant_id, replay_id, for_update=True)
        if replay.state != "previewed":
            raise WrongState(f"{_STATE_WORDS[replay.state]} Only a ready preview can be started.")
        _refuse_old(replay.previewed_at, START_WITHIN)
        if not replay.chosen:
            raise NothingToDo
        state = "awaiting_approval" if replay.needs_approval else "running"
        await session.execute(
            "update replay set state = $3, started_by = $4, started_at = now()"
            " where tenant_id = $1 and id = $2",
            scope.tenant_id,
            replay_id,
            state,
            scope.actor,
        )
        if state == "running":
            await _leave_out_conflicts(session, scope.tenant_id, replay_id)
        await record(
            session,
            "replays.start_replay",
            f"replay:{replay_id}",
            {"records": replay.chosen, "reason": replay.reason, "state": state},
        )
        return await find_replay(session, scope.tenant_id, replay_id)


async def approve_replay(scope: TenantScope, database: Database, replay_id: Id) -> Replay:
    """Let a replay run that a second person must approve; raises SamePerson, WrongState, NotFound."""
    async with begin(scope, database) as session:
        replay = await find_replay(session, scope.tenant_id, replay_id, for_update=True)
        if replay.state != "awaiting_approval":
            raise WrongState(f"{_STATE_WORDS[replay.state]} It waits for no approval.")
        if scope.actor in (replay.created_by, replay.started_by):
            raise SamePerson
        _refuse_old(replay.previewed_at, APPROVE_WITHIN)
        await session.execute(
            "update replay set state = 'running', approved_by = $3, approved_at = now()"
            " where tenant_id = $1 and id = $2",
            scope.tenant_id,
            replay_id,
            scope.actor,
        )
        await _leave_out_conflicts(session, scope.tenant_id, replay_id)
        await record(
            session,
            "replays.approve_replay",
            f"replay:{replay_id}",
            {"records": replay.chosen, "started_by": replay.started_by, "why": replay.words},
        )
        return await find_replay(session, scope.tenant_id, replay_id)


async def cancel_replay(scope: TenantScope, database: Database, replay_id: Id) -> Replay:
    """Stop what has not begun; what has begun goes on, and its end is still told.

    Cancelling twice is harmless. Raises NotFound, WrongState when it is over.
    """
    async with begin(scope, database) as session:
        replay = await find_replay(session, scope.tenant_id, replay_id, for_update=True)
        if replay.state == "cancelled":
            return replay
        if replay.state in ("done", "refused"):
            raise WrongState(f"{_STATE_WORDS[replay.state]} There is nothing to cancel.")
        await session.execute(
            "update replay_item set state = 'left_out', happened_words = 'Cancelled before its turn.'"
            " where tenant_id = $1 and replay_id = $2 and state = 'waiting'",
            scope.tenant_id,
            replay_id,
        )
        await session.execute(
            "update replay set state = 'cancelled',"
            " finished_at = case when started = finished then now() end"
            " where tenant_id = $1 and id = $2",
            scope.tenant_id,
            replay_id,
        )
        detail = {"started": replay.started, "of": replay.chosen}
        await record(session, "replays.cancel_replay", f"replay:{replay_id}", detail)
        return await find_replay(session, scope.tenant_id, replay_id)


def _refuse_old(previewed_at: datetime | None, within: timedelta) -> None:
    if previewed_at is None or clock.now() - previewed_at > within:
        raise PreviewTooOld


async def _leave_out_conflicts(session: Session, tenant_id: Id, replay_id: Id) -> None:
    await session.execute(
        "update replay_item set state = 'left_out', happened_words = $3"
        " where tenant_id = $1 and replay_id = $2 and promised = 'conflict'",
        tenant_id,
        replay_id,
        LEFT_OUT_WORDS,
    )


_STATE_WORDS = {
    "previewing": "This replay is still being previewed.",
    "refused": "This replay was refused.",
    "previewed": "This replay has not been started.",
    "awaiting_approval": "This replay waits for a second person.",
    "running": "This replay is running.",
    "done": "This replay is done.",
    "cancelled": "This replay was cancelled.",
}
