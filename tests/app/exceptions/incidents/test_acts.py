"""What people do with an incident: take it, remark, snooze, close; each act stands in the audit log."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_asyncio

from app.exceptions.incidents.assign import Assignment, assign_incident
from app.exceptions.incidents.comment import comment_incident
from app.exceptions.incidents.groups import list_groups
from app.exceptions.incidents.incident import Incident
from app.exceptions.incidents.read import IncidentFilter, list_incidents, read_incident
from app.exceptions.incidents.records import list_records
from app.exceptions.incidents.resolve import StillOpen, resolve_incident
from app.exceptions.incidents.snooze import snooze_incident
from infra import clock
from infra.database.pool import Database
from infra.database.scope import OperatorScope, PartnerScope, TenantScope
from infra.errors import NotFound, Unprocessable
from infra.ids import new_id
from tests.app.exceptions.incidents.desk import Desk, Wanted, open_desk


def refused(number: int, amount: str = "20.00", code: str = "sku.unknown") -> Wanted:
    return Wanted(number, amount, state="held", code=code, error_class="data")


@pytest_asyncio.fixture
async def desk(database: Database) -> Desk:
    opened = await open_desk(database)
    await opened.add("shop", "erp", *(refused(n, f"{n}.00") for n in range(1, 9)))
    await opened.look()
    return opened


async def _audited(desk: Desk) -> list[str]:
    rows = await desk.rows("select action, actor, subject from audit order by seq")
    assert {row["actor"] for row in rows} <= {"person.ada"}
    return [row["action"] for row in rows]


async def _decide_all(desk: Desk) -> None:
    await desk.write(
        "update hold set state = 'discarded', decided_at = now(), decided_by = 'person.ada'"
    )
    await desk.engine(
        "update delivery set state = 'discarded' where tenant_id = $1", desk.tenant_id
    )


async def test_whoever_acts_takes_it_and_twice_changes_nothing(desk: Desk) -> None:
    incident = await desk.one()

    taken = await assign_incident(desk.scope, desk.database, incident.id, Assignment())
    await assign_incident(desk.scope, desk.database, incident.id, Assignment())
    given = await assign_incident(desk.scope, desk.database, incident.id, Assignment("Grace"))
    dropped = await assign_incident(desk.scope, desk.database, incident.id, Assignment(""))

    assert (taken.owner, given.owner, dropped.owner) == ("person.ada", "Grace", "")
    assert await desk.history(incident) == ["opened", "assigned", "assigned", "assigned"]
    assert await _audited(desk) == ["exceptions.assign_incident"] * 3
    assert {row["owner"] for row in await desk.rows("select owner from hold")} == {""}


async def test_a_remark_stands_in_the_history_and_the_audit_log_does_not_quote_it(
    desk: Desk,
) -> None:
    incident = await desk.one()

    await comment_incident(desk.scope, desk.database, incident.id, "Called the supplier.")

    view = await read_incident(desk.scope, desk.database, incident.id)
    assert (view.moments[0].kind, view.moments[0].words, view.moments[0].actor) == (
        "commented",
        "Called the supplier.",
        "person.ada",
    )
    (remark,) = await desk.rows("select author, words from remark")
    assert remark == {"author": "person.ada", "words": "Called the supplier."}
    (line,) = await desk.rows("select action, detail::text from audit")
    assert line["action"] == "exceptions.comment_incident"
    assert "supplier" not in line["detail"]


async def test_a_snoozed_incident_is_counted_on_and_wakes_when_it_ends(desk: Desk) -> None:
    incident = await desk.one()
    until = clock.now() + timedelta(hours=4)

    snoozed = await snooze_incident(desk.scope, desk.database, incident.id, until)
    await desk.add("shop", "erp", refused(20))
    await desk.look()
    counted = await desk.one()
    await _decide_all(desk)
    await desk.look()

    assert (snoozed.snoozed_until, counted.snoozed_until) == (until, until)
    assert counted.held == 9
    ended = await desk.one()
    assert (ended.state, ended.snoozed_until) == ("resolved", None)


@pytest.mark.parametrize("hours", [-1, 31 * 24])
async def test_a_snooze_is_for_a_moment_within_thirty_days(desk: Desk, hours: int) -> None:
    incident = await desk.one()

    with pytest.raises(Unprocessable, match="next 30 days") as refusal:
        await snooze_incident(
            desk.scope, desk.database, incident.id, clock.now() + timedelta(hours=hours)
        )

    assert refusal.value.code == "incident.snooze_invalid"
    assert (await desk.one()).snoozed_until is None
    assert await _audited(desk) == []


async def test_nobody_closes_what_is_still_open(desk: Desk) -> None:
    incident = await desk.one()

    with pytest.raises(StillOpen, match="Still held: 8 records"):
        await resolve_incident(desk.scope, desk.database, incident.id, "Done.")

    assert (await desk.one()).state == "new"
    assert await _audited(desk) == []


async def test_nobody_closes_what_waits_or_does_not_work(desk: Desk) -> None:
    await desk.connect("wms", title="Warehouse")
    await desk.breaks("wms", "authorization_lost")
    await desk.add("shop", "wms", Wanted(50))
    await desk.look()
    (incident,) = [each for each in await desk.incidents() if each.error_class == "auth"]

    with pytest.raises(StillOpen, match="Still waiting: 1 record"):
        await resolve_incident(desk.scope, desk.database, incident.id, "Done.")
    await desk.engine("update delivery set state = 'cancelled' where seq = 50")
    await desk.look()
    with pytest.raises(StillOpen, match="does not work yet"):
        await resolve_incident(desk.scope, desk.database, incident.id, "Done.")


async def test_what_is_decided_can_be_closed_with_words(desk: Desk) -> None:
    incident = await desk.one()
    await _decide_all(desk)

    closed = await resolve_incident(desk.scope, desk.database, incident.id, "Old test orders.")
    await resolve_incident(desk.scope, desk.database, incident.id, "Again.")

    assert (closed.state, closed.resolved_by, closed.resolution) == (
        "resolved",
        "person.ada",
        "Old test orders.",
    )
    assert await desk.history(incident) == ["opened", "resolved"]
    assert await _audited(desk) == ["exceptions.resolve_incident"]


async def test_acts_on_a_foreign_incident_find_nothing(desk: Desk, database: Database) -> None:
    incident = await desk.one()
    stranger = (await open_desk(database)).scope
    until = clock.now() + timedelta(hours=1)

    for act in (
        assign_incident(stranger, database, incident.id, Assignment()),
        comment_incident(stranger, database, incident.id, "x"),
        snooze_incident(stranger, database, incident.id, until),
        resolve_incident(stranger, database, incident.id, "xxx"),
        read_incident(stranger, database, incident.id),
        list_records(stranger, database, incident.id, "any", None, 10),
    ):
        with pytest.raises(NotFound):
            await act

    assert await desk.history(incident) == ["opened"]


async def test_the_list_is_filtered_ordered_and_paged(desk: Desk) -> None:
    for number, code in enumerate(("tax.differs", "price.negative", "order.totals_differ")):
        await desk.add("shop", "erp", refused(100 + number, f"{(number + 1) * 100}.00", code))
    await desk.look()

    async def listed(**wanted: object) -> list[Incident]:
        chosen = IncidentFilter(**wanted)  # type: ignore[arg-type]
        return await list_incidents(desk.scope, desk.database, chosen, 2)

    first = await listed()
    second = await listed(before=first[-1].id)
    third = await listed(before=second[-1].id)
    await assign_incident(desk.scope, desk.database, first[0].id, Assignment("Grace"))

    assert [each.code for each in first] == ["order.totals_differ", "price.negative"]
    assert [each.code for each in second] == ["tax.differs", "sku.unknown"]
    assert third == []
    assert [each.id for each in await listed(owner="Grace")] == [first[0].id]
    assert len(await listed(error_class="data")) == 2
    assert await listed(error_class="auth") == []
    assert await listed(severity=2) == []
    assert await listed(state="resolved") == []
    assert await listed(is_snoozed=True) == []
    assert await listed(connection_id=new_id()) == []


async def test_an_incident_shows_its_five_dearest_records_and_what_to_do_first(desk: Desk) -> None:
    incident = await desk.one()

    view = await read_incident(desk.scope, desk.database, incident.id)

    assert [each.label for each in view.samples] == ["#8", "#7", "#6", "#5", "#4"]
    assert view.system == "ERP"
    assert view.channels == ("Web shop",)
    assert view.next_step.startswith("Look at one of the records.")
    assert view.incident.runbook == "records-refused"
    records = await list_records(desk.scope, desk.database, incident.id, "open", None, 3)
    assert [each.label for each in records] == ["#8", "#7", "#6"]
    more = await list_records(desk.scope, desk.database, incident.id, "open", records[-1].id, 9)
    assert [each.label for each in more] == ["#5", "#4", "#3", "#2", "#1"]


async def test_a_partner_sees_one_cause_at_all_its_retailers_and_no_label(
    desk: Desk, database: Database
) -> None:
    sister = await Desk(database).open(desk.partner_id, "Oak & Elm")
    await sister.connect("shop", "shopify", "Shop")
    await sister.connect("erp", "tryton", "ERP")
    await sister.add("shop", "erp", refused(77, "64.00"))
    stranger = await open_desk(database)
    await stranger.add("shop", "erp", refused(1, "1000.00"))
    await sister.look()
    theirs = (await desk.one()).id
    await assign_incident(desk.scope, desk.database, theirs, Assignment("Grace"))

    (group,) = await list_groups(
        PartnerScope(desk.partner_id), database, error_class=None, limit=50
    )
    (own,) = await list_groups(TenantScope(sister.tenant_id), database, error_class=None, limit=50)
    everywhere = await list_groups(OperatorScope(), database, error_class="data", limit=200)

    assert (group.connector, group.error_class, group.code) == ("tryton", "data", "sku.unknown")
    assert (group.retailers, group.held, group.waiting) == (2, 9, 0)
    assert {currency: str(each) for currency, each in group.at_risk.items()} == {"USD": "100.00"}
    assert (group.owners, group.unowned) == (("Grace",), 1)
    assert [each.name for each in group.members] == ["Oak & Elm", "Maple & Main"]
    assert (own.retailers, own.held) == (1, 1)
    assert next(each for each in everywhere if each.code == "sku.unknown").retailers >= 3
    assert "#" not in repr(group)
