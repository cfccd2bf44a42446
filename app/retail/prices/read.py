"""Read prices: what holds where at a moment, how far a version has come, what waits for approval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.connections.tenant import acting_tenant
from app.retail.prices.book import Stored, SubjectName, VersionState, stored, versions_of
from app.retail.prices.missing import Lack, find_missing
from app.retail.prices.states import ARRIVED, State
from app.retail.prices.targets import Target, read_targets
from app.retail.prices.timeline import holding, series_of
from app.retail.prices.versions import PriceVersion
from app.retail.prices.wants import told_to
from connectors.canonical.price import Price
from infra.clock import now
from infra.database.unit import Row, Session
from infra.errors import NotFound
from infra.ids import Id

_STATES = """
select target_id, version_id, series, state, begins_at, ends_at, words
from price_activation where tenant_id = $1 and subject = 'price' and item = $2
order by begins_at
"""
_VERSION = """
select id, subject, connection_id, object_id, version, content_hash, item, body, told_at, state,
    words, approved_by, withdrawn_at, message_id
from price_version where tenant_id = $1 and id = $2
"""
_PLACES = """
select a.target_id, a.series, a.is_end, a.state, a.begins_at, a.ends_at, a.amount, a.currency,
    a.sent_at, a.accepted_at, a.verified_at, a.verified_by, a.code, a.words, a.wrong_sales, a.leakage
from price_activation a where a.tenant_id = $1 and a.version_id = $2
order by a.begins_at, a.series
"""
_HELD = """
select id, subject, connection_id, object_id, version, content_hash, item, body, told_at, state,
    words, approved_by, withdrawn_at, message_id
from price_version where tenant_id = $1 and state = 'held' order by id desc limit $2
"""


@dataclass(frozen=True, slots=True)
class PriceAt:
    """What one place charges at a moment, by the versions that count; `state` is how far it is."""

    place: str
    connection: str
    series: str
    version_id: Id
    price_id: str
    kind: str
    amount: Decimal | None
    currency: str
    state: State | None
    begins_at: datetime | None
    ends_at: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class PlaceState:
    """How far one place has come with one version; times in UTC."""

    place: str
    connection: str
    phone: str
    series: str
    is_end: bool
    state: State
    begins_at: datetime
    ends_at: datetime | None
    amount: Decimal | None
    currency: str | None
    sent_at: datetime | None
    accepted_at: datetime | None
    verified_at: datetime | None
    verified_by: str
    code: str
    words: str
    wrong_sales: int
    leakage: Decimal


@dataclass(frozen=True, slots=True)
class Propagation:
    """One version with every place it goes to."""

    version: Stored
    subject: SubjectName
    state: VersionState
    places: tuple[PlaceState, ...]
    says: str


async def prices_at(
    session: Session, sku: str, place: str = "", at: datetime | None = None
) -> list[PriceAt]:
    """Give what an article costs at a moment (now unless told) at each place, or at the one named."""
    moment = at or now()
    versions = (await versions_of(session, "price", [sku])).get(sku, [])
    offers = [
        PriceVersion(each.id, each.read(Price), each.withdrawn_at)
        for each in versions
        if each.state == "current"
    ]
    targets = [each for each in await read_targets(session) if place in {"", each.place}]
    states: dict[tuple[Id, Id, str], Row] = {}
    for row in await session.fetch(_STATES, acting_tenant(session), sku):
        key = (row["target_id"], row["version_id"], row["series"])
        # Of several activations of one version the last that has begun counts.
        if row["begins_at"] <= moment or key not in states:
            states[key] = row
    return [found for each in targets for found in _at(offers, each, moment, states)]


def _at(
    offers: Sequence[PriceVersion],
    target: Target,
    moment: datetime,
    states: dict[tuple[Id, Id, str], Row],
) -> Iterator[PriceAt]:
    here = [
        each
        for each in offers
        if each.price.scope.kind == "tenant" or each.price.scope in target.scopes
    ]
    series = {found for each in here if (found := series_of(each.price)) is not None}
    for one in sorted(series, key=str):
        version = holding(here, one, target.as_place, moment)
        if version is None:
            continue
        told = told_to(version.price, target)
        row = states.get((target.id, version.id, str(one)))
        yield PriceAt(
            place=target.place,
            connection=target.connection,
            series=str(one),
            version_id=version.id,
            price_id=version.price.price_id,
            kind=version.price.kind,
            amount=told.amount,
            currency=target.currency,
            state=row["state"] if row else None,
            begins_at=row["begins_at"] if row else None,
            ends_at=row["ends_at"] if row else None,
            words=told.words or (row["words"] if row else ""),
        )


async def read_propagation(session: Session, version_id: Id) -> Propagation:
    """Give one version with every place it goes to, by the number of the store; raises NotFound."""
    tenant_id = acting_tenant(session)
    row = await session.fetch_one(_VERSION, tenant_id, version_id)
    if row is None:
        raise NotFound
    targets = await read_targets(session, with_inactive=True)
    order = {each.id: place for place, each in enumerate(targets)}
    rows = await session.fetch(_PLACES, tenant_id, version_id)
    ordered = sorted(rows, key=lambda each: (order[each["target_id"]], each["begins_at"]))
    places = tuple(_place(each, targets[order[each["target_id"]]]) for each in ordered)
    moment = now()
    lacks = [each for each in await find_missing(session, moment) if each.version_id == version_id]
    version = stored(row)
    says = _says(version, lacks, moment, places)
    return Propagation(version, row["subject"], version.state, places, says)


async def waiting_for_approval(session: Session, limit: int) -> list[Stored]:
    """Give what waits for a person's approval, newest first."""
    rows = await session.fetch(_HELD, acting_tenant(session), limit)
    return [stored(row) for row in rows]


def _says(
    version: Stored, lacks: Sequence[Lack], moment: datetime, places: Sequence[PlaceState]
) -> str:
    if version.state == "held":
        return version.words
    if lacks:
        return " ".join(each.words(moment) for each in lacks)
    live = [each for each in places if each.state not in {"withdrawn", "expired"}]
    there = [each for each in live if each.state in ARRIVED]
    if not live:
        return "It holds nowhere now."
    return f"{len(there)} of {len(live)} places have it."


def _place(row: Row, target: Target) -> PlaceState:
    return PlaceState(
        place=target.place,
        connection=target.connection,
        phone=target.phone,
        series=row["series"],
        is_end=row["is_end"],
        state=row["state"],
        begins_at=row["begins_at"],
        ends_at=row["ends_at"],
        amount=row["amount"],
        currency=row["currency"],
        sent_at=row["sent_at"],
        accepted_at=row["accepted_at"],
        verified_at=row["verified_at"],
        verified_by=row["verified_by"],
        code=row["code"],
        words=row["words"],
        wrong_sales=row["wrong_sales"],
        leakage=row["leakage"],
    )
