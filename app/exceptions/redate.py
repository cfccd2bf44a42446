"""Send a journal that the books refused for its period again, under the first day that they take."""

from __future__ import annotations

from uuid import UUID

import msgspec

from app.exceptions.claim import Decision, close_hold
from app.exceptions.content import EditUnderWay
from app.exceptions.edit import EditParts
from app.exceptions.edit_event import edit_event
from app.exceptions.hold import find_hold
from app.retail.journals.ends import PostedJournal, read_posted
from app.retail.journals.fold import posting_date
from app.retail.journals.rule_book import read_rules
from app.retail.journals.tell import journal_event
from connectors.canonical.event import encode
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import Conflict
from infra.ids import Id
from tenants.audit import Detail

_REDATE = "update journal set posted_on = $3, memo = $4 where tenant_id = $1 and id = $2"


class NotRefused(Conflict):
    """The journal waits for nobody, so there is nothing to send again."""

    code = "journal.not_refused"

    def __init__(self) -> None:
        super().__init__("The books did not refuse this journal. Read its present state.")


class PeriodOpen(Conflict):
    """By the posting rules the journal has the right date already."""

    code = "journal.period_open"

    def __init__(self) -> None:
        super().__init__(
            "By your posting rules the period of this journal is open. Write the last closed day into"
            " `closed_until` of the posting rules, then date the journal anew."
        )


async def redate_journal(
    scope: TenantScope, parts: EditParts, journal_id: Id, reason: str
) -> PostedJournal:
    """Date a refused journal as the posting rules say now, and send it; the business day is its memo.

    Its lines stay as they are. Raises NotFound, NotRefused, PeriodOpen, AlreadyDecided.
    """
    key = await parts.vault.current(scope.tenant_id)
    async with begin(scope, parts.database) as session:
        found = await read_posted(session, scope.tenant_id, UUID(str(journal_id)))
        if found.hold_id is None:
            raise NotRefused
        rules = await read_rules(session, scope)
        posted_on, memo = posting_date(found.journal.day, rules)
        if posted_on == found.journal.posted_on:
            raise PeriodOpen
        hold = await find_hold(session, scope, found.hold_id)
        dated = msgspec.structs.replace(found.journal, posted_on=posted_on, memo=memo)
        content = msgspec.json.decode(encode(journal_event(dated)))
        replaced = await edit_event(EditUnderWay(session, scope, parts.vault, key, hold), content)
        await session.execute(_REDATE, scope.tenant_id, found.id, posted_on, memo)
        decision = Decision("edited", "journals.redate_journal", reason)
        detail: Detail = {"posted_on": posted_on.isoformat(), "revision": replaced.revision}
        await close_hold(session, scope, hold, decision, {**detail, "reason": reason})
    parts.ring()
    async with begin(scope, parts.database) as session:
        return await read_posted(session, scope.tenant_id, found.id)
