"""Take what systems tell of prices: kept as versions, judged, and marked to be distributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.retail.prices.articles import costs_of
from app.retail.prices.book import Stored, add_versions, versions_of
from app.retail.prices.judge import judge
from app.retail.prices.versions import Subject, content_of, hash_of
from app.retail.told import Told
from connectors.canonical.event import PRICE_SET
from connectors.canonical.money import Money
from connectors.canonical.price import Price
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id, new_id
from infra.keys.vault import TenantKey

PRICES = frozenset({PRICE_SET})


@dataclass(slots=True)
class Beside:
    """What is known of one article while a batch is taken: its versions, and its cost."""

    known: list[Stored]
    cost: Money | None
    new: list[Stored] = field(default_factory=list)

    def same(self, telling: Stored) -> Stored | None:
        """Find the same telling, if it was taken before."""
        return next(filter(telling.is_same_telling, (*self.known, *self.new)), None)

    def others(self, telling: Stored) -> list[Price]:
        """Give the prices that count besides those of the same object."""
        counting = {}
        for each in (*self.known, *self.new):
            if each.state == "current" and each.withdrawn_at is None:
                counting[each.of] = each
        return [each.read(Price) for of, each in counting.items() if of != telling.of]


async def take_prices(
    session: Session, _key: TenantKey, told: Sequence[Told]
) -> Mapping[Id, HoldRecord]:
    """Keep prices as versions; gives a hold for each that is wrong or waits for approval.

    What the core itself says to one place is not told by anybody. A released record comes again:
    the version that was approved goes on, the one that was not is held again.
    """
    from_outside = [one for one in told if not one.event.to]
    skus = {one.event.body.sku for one in from_outside if isinstance(one.event.body, Price)}
    if not skus:
        return {}
    known = await versions_of(session, "price", skus, with_superseded=True)
    costs = await costs_of(session, skus)
    beside = {sku: Beside(known.get(sku, []), costs.get(sku)) for sku in skus}
    holds: dict[Id, HoldRecord] = {}
    for one in from_outside:
        if isinstance(one.event.body, Price):
            hold = _take(one, one.event.body, beside[one.event.body.sku])
            if hold is not None:
                holds[one.event_id] = hold
    await add_versions(session, "price", [each for one in beside.values() for each in one.new])
    return holds


def version_told(one: Told, body: Subject, item: str) -> Stored:
    """Make the version that an event tells."""
    content = content_of(body)
    return Stored(
        id=new_id(),
        connection_id=one.connection_id,
        object_id=one.event.object_id,
        version=one.event.version,
        content_hash=hash_of(content),
        item=item,
        body=content.decode(),
        told_at=one.event.occurred_at,
        state="current",
        message_id=one.message_id,
    )


def _take(one: Told, price: Price, beside: Beside) -> HoldRecord | None:
    telling = version_told(one, price, price.sku)
    there = beside.same(telling)
    if there is not None and there.state != "held":
        return None
    verdict = judge(price, beside.others(telling), beside.cost)
    if there is not None:
        return verdict.as_hold(price) if verdict else None
    if verdict is None:
        beside.new.append(telling)
        return None
    hold = verdict.as_hold(price)
    if verdict.may_be_approved:
        beside.new.append(replace(telling, state="held", words=hold.words))
    return hold
