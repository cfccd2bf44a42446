"""Make an object of ours, tie a name to it, untie a name, or call it otherwise."""

from __future__ import annotations

from datetime import datetime

from app.identities.bindings import ALWAYS, Kind, Name, bind, end, rename
from app.identities.store import (
    Grounds,
    bindings_of,
    carry_out,
    insert_identity,
    lock_names,
    require_identity,
    require_name,
)
from infra.database.unit import Session
from infra.ids import Id
from tenants.audit import record


async def make_identity(session: Session, kind: Kind, label: str = "", called: str = "") -> Id:
    """Make a new object of ours, with the number it is called by where that is not taken.

    The label is for people on a list; of customers both stay empty.
    """
    # Names first, the audit log last: in every act alike, so that no two wait for each other.
    await lock_names(session)
    identity_id = await insert_identity(session, kind, label if kind != "customer" else "", called)
    await record(session, "identities.make_identity", f"identity:{identity_id}", {"kind": kind})
    return identity_id


async def bind_name(
    session: Session, name: Name, identity_id: Id, grounds: Grounds, since: datetime = ALWAYS
) -> bool:
    """Let a name mean an object from a moment on. False when it does already.

    Raises NotFound; Conflict when the name means another object then or later; Unprocessable for what
    cannot be a name.
    """
    await lock_names(session)
    await require_name(session, name)
    await require_identity(session, identity_id, name.kind)
    plan = bind(await bindings_of(session, [name]), name, identity_id, since)
    if not plan:
        return False
    await carry_out(session, plan, grounds)
    await record(
        session,
        "identities.bind_name",
        f"identity:{identity_id}",
        {**_told(name), "since": since.isoformat(), "reason": grounds.reason},
    )
    return True


async def end_binding(session: Session, name: Name, at: datetime, reason: str) -> None:
    """Let a name mean nothing any more from a moment on; what happened before stays as it was.

    Raises Conflict when it meant nothing at that moment.
    """
    await lock_names(session)
    plan = end(await bindings_of(session, [name]), name, at)
    ((binding, _),) = plan.ends
    await carry_out(session, plan, Grounds(reason))
    await record(
        session,
        "identities.end_binding",
        f"identity:{binding.identity_id}",
        {**_told(name), "at": at.isoformat(), "reason": reason},
    )


async def rename_object(session: Session, old: Name, new: Name, at: datetime, reason: str) -> bool:
    """Let an object be called otherwise from a moment on. False when it is so already.

    Raises Conflict when the old name means nothing then or the new one is in use.
    """
    await lock_names(session)
    await require_name(session, new)
    plan = rename(await bindings_of(session, [old, new]), old, new, at)
    if not plan:
        return False
    ((binding, _),) = plan.ends
    await carry_out(session, plan, Grounds(reason))
    detail = {"new": new.external_id, "at": at.isoformat(), "reason": reason}
    subject = f"identity:{binding.identity_id}"
    await record(session, "identities.rename_object", subject, {**_told(old), **detail})
    return True


def _told(name: Name) -> dict[str, str]:
    return {
        "connection": str(name.connection_id),
        "kind": name.kind,
        "external_id": name.external_id,
    }
