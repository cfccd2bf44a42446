"""A bad Monday: the ERP is down, a sign-in does not work any more, and Friday's rule was wrong.

Ninety records stand still, and whoever opens the list sees three incidents with their causes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest_asyncio

from app.apply.apply import apply_file
from app.exceptions.incidents.incident import Incident
from app.exceptions.incidents.read import IncidentFilter, list_incidents, read_incident
from app.exceptions.incidents.sync import IncidentSync
from app.flows.versions import NewVersion, publish_version
from connectors.catalog.http.emulator import Recorder, Target
from connectors.catalog.http.emulator.target import Reply
from infra.database.unit import begin
from tests.app.exceptions.picky import PickyTarget
from tests.scenarios.patience import until
from tests.stage import SECRET, Retailer, Stage, order_event

ORDERS = 30
RENEWED = "whsec_" + "b3RoZXIgc2VjcmV0IG9mIHRoaXJ0eS10d28gYnl0ZXM="


class Warehouse(PickyTarget):
    """Refuses orders of a store that it does not know."""

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        self.refused = {f"o-{n}" for n in range(ORDERS)} if b'"Nowhere"' in body else set()
        return PickyTarget.take(self, headers, body)


@dataclass(slots=True)
class Monday:
    """The shop, its three targets, and the duty that makes incidents of what happens."""

    stage: Stage
    retailer: Retailer
    sync: IncidentSync
    erp: Recorder
    club: Target
    running: AsyncExitStack

    async def incidents(self) -> dict[str, Incident]:
        """Give the open incidents by the name of their system."""
        names = {each: name for name, each in self.retailer.connections.items()}
        found = await list_incidents(
            self.retailer.scope, self.stage.database, IncidentFilter(), 100
        )
        assert len({each.connection_id for each in found}) == len(found)
        return {names[each.connection_id]: each for each in found}

    async def counts(self) -> dict[str, int]:
        """Look once and give how many records each incident has."""
        await self.sync.go_on()
        return {name: each.records for name, each in (await self.incidents()).items()}


@pytest_asyncio.fixture
async def monday(stage: Stage) -> AsyncIterator[Monday]:
    club, warehouse, erp = Target(secrets=(SECRET,)), Warehouse(), Recorder()
    async with AsyncExitStack() as running, Recorder(club) as at_club, Recorder(warehouse) as wms:
        await running.enter_async_context(erp)
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        for name, url in (("erp", erp.url), ("club", at_club.url), ("wms", wms.url)):
            await stage.connect(retailer, name, "http", base_url=url)
            await stage.give_secret(retailer, name, ["signing_secret"])
            await stage.flow(retailer, "source", name)
        sync = IncidentSync(stage.database, quiet_for=timedelta(0), search_rest=0)
        yield Monday(stage, retailer, sync, erp, club, running)


async def _friday(monday: Monday, tmp_path: Path) -> None:
    """Renew a credential on our side only, and publish a rule that names a store nobody has."""
    stage, retailer = monday.stage, monday.retailer
    (tenant,) = await stage.rows(
        retailer, "select p.slug from partner p join tenant t on t.partner_id = p.id"
    )
    (url,) = await stage.rows(
        retailer, "select settings ->> 'base_url' as url from connection where name = 'club'"
    )
    (tmp_path / "secret").write_text(RENEWED)
    (tmp_path / "shop.yaml").write_text(
        f"partners: [{{slug: {tenant['slug']}, name: Partner, retailers: [{{slug: shop, name: Shop,"
        f" connections: [{{name: club, connector: http, settings: {{base_url: '{url['url']}'}},"
        " secrets: {signing_secret: {file: secret}}}]}]}]\n"
    )
    await apply_file(tmp_path / "shop.yaml", stage.database, stage.vault, only_plan=False)
    stage.connections.forget(retailer.tenant_id, retailer.connections["club"])
    (flow_id,) = [each for name, each in retailer.flows.items() if "wms" in name]
    rule = {"kind": "constant", "path": "body.store", "value": "Nowhere"}
    async with begin(retailer.scope, stage.database) as session:
        await publish_version(session, NewVersion(flow_id, "New stores.", None, (rule,)))


async def test_three_causes_are_three_incidents_with_the_change_that_came_before(
    monday: Monday, tmp_path: Path
) -> None:
    stage, retailer = monday.stage, monday.retailer
    await _friday(monday, tmp_path)
    await monday.running.aclose()
    await stage.accept(retailer, "source", *(order_event(n) for n in range(ORDERS)))

    async def all_stand_still() -> bool:
        return await monday.counts() == {"erp": ORDERS, "club": ORDERS, "wms": ORDERS}

    async with stage.engine():
        await until(all_stand_still, "thirty records at each of three incidents")

    found = await monday.incidents()
    assert {name: each.error_class for name, each in found.items()} == {
        "erp": "transient",
        "club": "auth",
        "wms": "data",
    }
    assert found["erp"].title.startswith("erp has not answered since ")
    assert found["erp"].title.endswith("; 30 orders wait")
    assert found["club"].title.startswith("club has not let us in since ")
    assert found["wms"].title.startswith("wms cannot take 30 orders: ")
    assert {name: (each.cause or {})["kind"] for name, each in found.items()} == {
        "erp": "none",
        "club": "credential",
        "wms": "mapping",
    }
    assert (found["erp"].cause or {})["words"] == (
        "No change of ours came before. The other system stopped answering."
    )
    assert (found["wms"].cause or {})["version"] == 2
    for each in found.values():
        assert each.at_risk == {"USD": Decimal("600.00")}
    view = await read_incident(retailer.scope, stage.database, found["wms"].id)
    assert len(view.samples) == 5
    assert [each.kind for each in view.moments][-1] == "opened"


async def test_what_is_mended_closes_by_itself_and_says_so(monday: Monday) -> None:
    stage, retailer = monday.stage, monday.retailer
    port = monday.erp.port
    await monday.running.aclose()
    await stage.accept(retailer, "source", *(order_event(n) for n in range(ORDERS)))

    async def erp_is_out() -> bool:
        return await monday.counts() == {"erp": ORDERS}

    async def all_is_well() -> bool:
        return await monday.counts() == {}

    async with stage.engine():
        await until(erp_is_out, "the ERP is out")
        (incident,) = (await monday.incidents()).values()
        async with Recorder(port=port):
            # The probe would come by itself after its pause.
            await stage.write(
                retailer, "update connection_health set closed_until = now() where state = 'open'"
            )
            await until(all_is_well, "everything was delivered")

    view = await read_incident(retailer.scope, stage.database, incident.id)
    assert view.incident.state == "resolved"
    assert view.incident.peak == ORDERS
    kinds = [each.kind for each in view.moments]
    assert (kinds[0], kinds[-1]) == ("resolved", "opened")
    assert view.moments[0].words == (
        "Nothing is held or waiting any more. At most it was 30 records."
    )
