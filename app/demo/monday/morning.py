"""Monday: an operator reads three incidents, mends three causes, and replays with a receipt."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.demo.monday.desk import Desk, JsonObject
from app.demo.monday.ground import Ground
from app.demo.monday.judge import Told
from app.demo.monday.patience import until_found
from app.demo.monday.weekend import Happened, in_flight, publish
from app.demo.monday.world import ALERTS, ARTICLES, MAPLE, NORTHGATE
from connectors.catalog.http.emulator.book import read_log


@dataclass(frozen=True, slots=True)
class Seen:
    """One incident as the operator's desk shows it."""

    retailer: str
    incident_id: str
    title: str
    error_class: str
    records: int
    amount: Decimal
    cause: str
    cause_kind: str
    next_step: str
    connection_id: str

    @classmethod
    def of(cls, retailer: str, detail: JsonObject) -> Seen:
        """Read an incident's page."""
        told = detail["incident"]
        cause = told["cause"] or {}
        return cls(
            retailer=retailer,
            incident_id=told["id"],
            title=told["title"],
            error_class=told["error_class"],
            records=told["held"] + told["waiting"],
            amount=sum((Decimal(each["amount"]) for each in told["at_risk"]), Decimal(0)),
            cause=cause.get("words", ""),
            cause_kind=cause.get("kind", ""),
            next_step=detail["next_step"],
            connection_id=told["connection_id"],
        )


@dataclass(frozen=True, slots=True)
class Replayed:
    """The replay of the spoiled orders: what was promised, and what happened."""

    records: int
    promised: dict[str, int]
    amount: Decimal
    needed_approval: bool
    equal: int
    of: int


async def until_told(ground: Ground, happened: Happened) -> list[Seen]:
    """Wait until the incidents hold all that does not arrive; gives them, the gravest first."""

    async def look() -> list[Seen] | None:
        seen = await incidents(ground)
        return seen if sum(each.records for each in seen) == happened.records else None

    return await until_found(look, "the incidents hold everything that does not arrive")


async def incidents(ground: Ground) -> list[Seen]:
    """Read all open incidents of both retailers."""
    seen: list[Seen] = []
    for retailer, tenant_id in ground.tenants.items():
        desk = ground.ada.at(tenant_id)
        listed = (await desk.get("/v1/incidents"))["items"]
        pages = [await desk.get(f"/v1/incidents/{each['id']}") for each in listed]
        seen += [Seen.of(retailer, page) for page in pages]
    return sorted(seen, key=lambda each: each.amount, reverse=True)


async def mend_erp(ground: Ground) -> None:
    """The ERP is up again: nothing else is to be done, the backlog goes out by itself, in order."""
    await ground.stranger.post(ground.console("maple-erp", "faults"), {"unavailable": 0.0})


async def reconnect(ground: Ground, seen: Seen, happened: Happened) -> None:
    """The owner of the marketplace account follows a link and gives the new secret."""
    desk = ground.ada.at(ground.tenants[MAPLE])
    link = await desk.post(f"/v1/connections/{seen.connection_id}/reconnect-link")
    asked = await ground.stranger.get(link["path"])
    names = [field["name"] for field in asked["fields"]]
    given = {name: happened.new_secret for name in names if name == "signing_secret"}
    await ground.stranger.post(link["path"], {"credentials": given})


async def preview(ground: Ground, seen: Seen) -> JsonObject:
    """Publish the right table, and ask what a replay of the incident would do."""
    await publish(ground, {**ARTICLES}, "Two article numbers corrected")
    desk = ground.ada.at(ground.tenants[NORTHGATE])
    asked = {
        "selection": {"incident": seen.incident_id},
        "mapping": "now",
        "reason": "The table of article numbers is right again.",
    }
    made = await desk.post("/v1/replays", asked)

    async def look() -> JsonObject | None:
        replay = await desk.get(f"/v1/replays/{made['id']}")
        return replay if replay["state"] == "previewed" else None

    return await until_found(look, "the replay is previewed")


async def replay(ground: Ground, previewed: JsonObject) -> Replayed:
    """Start it, let the second person approve, and wait for the receipt."""
    tenant_id = ground.tenants[NORTHGATE]
    desk, path = ground.ada.at(tenant_id), f"/v1/replays/{previewed['id']}"
    started = await desk.post(f"{path}/start")
    if started["state"] == "awaiting_approval":
        await ground.grace.at(tenant_id).post(f"{path}/approve")

    async def look() -> JsonObject | None:
        present = await desk.get(path)
        return present if present["state"] == "done" else None

    done = await until_found(look, "the replay is done")
    return Replayed(
        records=done["records"],
        promised={each["kind"]: each["records"] for each in done["promised"]},
        amount=sum(
            (Decimal(money["amount"]) for each in done["promised"] for money in each["amounts"]),
            Decimal(0),
        ),
        needed_approval=started["state"] == "awaiting_approval",
        equal=done["receipt"]["equal"],
        of=done["receipt"]["of"],
    )


async def until_over(ground: Ground) -> None:
    """Wait until nothing is under way and every incident has closed itself."""

    async def look() -> bool | None:
        waits = [await in_flight(ground, tenant) for tenant in ground.tenants]
        return True if not any(waits) and not await incidents(ground) else None

    await until_found(look, "everything has arrived and every incident is closed")


@dataclass(frozen=True, slots=True)
class Alerted:
    """How many alerts the operator's webhook got."""

    opened: int
    resolved: int


async def until_alerted(ground: Ground, incidents_seen: int) -> Alerted:
    """Wait until the end of every incident was told; gives what the webhook got."""

    async def look() -> Alerted | None:
        told = [entry.type for entry in read_log(ground.place.log_of(ALERTS)) if entry.is_effect]
        alerted = Alerted(told.count("incident.opened"), told.count("incident.resolved"))
        return alerted if alerted.resolved >= incidents_seen else None

    return await until_found(look, "the end of every incident is told")


async def unaccounted(ground: Ground) -> int:
    """Sum up what the books of both retailers cannot account for."""
    desks = [ground.ada.at(tenant_id) for tenant_id in ground.tenants.values()]
    return sum([int((await _ledger(desk))["unaccounted"]) for desk in desks])


def expected(happened: Happened) -> dict[str, Told]:
    """Say by class of error what each incident must hold, from the senders' own logs."""
    return {
        "transient": happened.missed_orders,
        "auth": happened.missed_shipments,
        "data": happened.spoiled,
    }


async def _ledger(desk: Desk) -> JsonObject:
    return await desk.get("/v1/ledger")
