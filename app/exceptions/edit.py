"""Edit what is held and let it go on: a message's raw body, or the event for one target.

Nothing is overwritten: what was there before stays in the book beside its new revision.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from app.exceptions.claim import Decision, close_hold
from app.exceptions.content import Edit, EditUnderWay, Replaced
from app.exceptions.difference import Change, differences
from app.exceptions.edit_event import edit_event
from app.exceptions.edit_message import edit_message
from app.exceptions.hold import Hold, find_hold
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.ids import Id
from infra.keys.vault import Vault
from tenants.audit import Detail


@dataclass(frozen=True, slots=True)
class Edited:
    """The hold as it is now, and what the edit changed."""

    hold: Hold
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class EditParts:
    """What editing works with; `ring` wakes the workers after the commit."""

    database: Database
    vault: Vault
    ring: Callable[[], None]


class _Undone(Exception):
    """Ends a transaction that was only to show what it would do."""


async def edit_hold(scope: TenantScope, parts: EditParts, hold_id: Id, edit: Edit) -> Edited:
    """Store the new content as a new revision and let it go on; says what changed.

    Raises: NotFound, AlreadyDecided, EffectUnknown, Unprocessable when the content does not fit
            what is held or breaks the event's contract.
    """
    replaced, decided = await _edit(scope, parts, hold_id, edit, is_preview=False)
    parts.ring()
    return await _compared(decided, replaced)


async def preview_edit(scope: TenantScope, parts: EditParts, hold_id: Id, edit: Edit) -> Edited:
    """Check an edit and say what it would change; nothing is written. Raises what `edit_hold` does.

    Whether a message can be read with its new body shows only when it is read.
    """
    replaced, hold = await _edit(scope, parts, hold_id, edit, is_preview=True)
    return await _compared(hold, replaced)


async def _edit(
    scope: TenantScope, parts: EditParts, hold_id: Id, edit: Edit, *, is_preview: bool
) -> tuple[Replaced, Hold]:
    # Before the transaction: making a month's key takes a transaction of its own.
    key = await parts.vault.current(scope.tenant_id)
    with contextlib.suppress(_Undone):
        async with begin(scope, parts.database) as session:
            hold = await find_hold(session, scope, hold_id)
            under_way = EditUnderWay(session, scope, parts.vault, key, hold)
            if hold.delivery_id is None:
                replaced = await edit_message(under_way, edit.body)
            else:
                replaced = await edit_event(under_way, edit.event)
            if is_preview:
                # The same path with the same checks, and all of it taken back.
                raise _Undone
            detail: Detail = {"reason": edit.reason, "revision": replaced.revision}
            decision = Decision("edited", "exceptions.edit_hold", edit.reason)
            hold = await close_hold(session, scope, hold, decision, detail)
    return replaced, hold


async def _compared(hold: Hold, replaced: Replaced) -> Edited:
    # A comparison of a megabyte would hold up every other request.
    changes = await asyncio.to_thread(differences, replaced.before, replaced.after)
    return Edited(hold, changes)
