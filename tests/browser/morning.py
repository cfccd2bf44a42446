"""The bad Monday at its worst moment, held still: real processes, real records, three incidents open."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from rich.console import Console

from app.demo.monday.ground import lay_ground
from app.demo.monday.morning import until_told
from app.demo.monday.weekend import play_weekend
from app.demo.monday.world import MAPLE, Weekend
from app.demo.progress import Progress
from infra.database.pool import Database, open_database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.settings import DatabaseSettings, load
from tenants.people import Place, ensure_person, give_role
from tenants.sign_in.links import make_link

BRAND = {"hue": "200", "colour": "#006a6e", "mark": "anchor"}


@dataclass(frozen=True, slots=True)
class Morning:
    """Where the portal is, links of three people (each good once), and the outfitter's id."""

    url: str
    links: dict[str, str]
    maple: UUID
    database: Database


@asynccontextmanager
async def held_morning(folder: Path, weekend: Weekend) -> AsyncIterator[Morning]:
    """Play the weekend up to the moment at which all incidents are told; ends everything after it."""
    async with AsyncExitStack() as stack:
        progress = Progress(Console())
        ground = await lay_ground(stack, folder, progress)
        happened = await play_weekend(ground, weekend)
        await until_told(ground, happened)
        url = load(DatabaseSettings).database_url.get_secret_value()
        database = await open_database(url, size=2)
        stack.push_async_callback(database.close)
        yield Morning(
            f"http://127.0.0.1:{ground.place.port}",
            await people(database, ground.tenants[MAPLE]),
            ground.tenants[MAPLE],
            database,
        )


async def people(database: Database, maple: UUID) -> dict[str, str]:
    """Give three people their roles, the partner its look, and make their links."""
    links = {}
    async with begin(OperatorScope("operator.demo"), database) as session:
        partner = await session.fetch_value("select partner_id from tenant where id = $1", maple)
        await session.execute(
            "update partner set brand = $2::jsonb where id = $1",
            partner,
            json.dumps(BRAND),
        )
        for key, name, role, place in (
            ("operator", "Ada Marsh", "operator", Place()),
            ("partner", "Grace Okafor", "partner_admin", Place(partner_id=partner)),
            ("retailer", "Jo Hart", "retailer_admin", Place(tenant_id=maple)),
        ):
            person = await ensure_person(session, f"{key}@harborline.example", name)
            await give_role(session, person.id, role, place, given_by="operator")
            made = await make_link(session, person.id, "sign_in", timedelta(hours=1))
            links[key] = made.path
    return links
