"""Take promotions: kept as versions, judged, and their conflicts told before they begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.connections.tenant import acting_tenant
from app.retail.breaks import Seen, close_breaks, list_breaks, see_breaks
from app.retail.prices.book import Stored, add_versions, stored, versions_of
from app.retail.prices.take import version_told
from app.retail.told import Told
from connectors.canonical.event import PROMOTION_SET
from connectors.canonical.promotion import Promotion, applied, conflicts, promotion_breaches
from connectors.sdk.message import HoldRecord
from infra.database.unit import Session
from infra.ids import Id
from infra.keys.vault import TenantKey

PROMOTIONS = frozenset({PROMOTION_SET})
INVALID = "promotion.invalid"
CONFLICT = "promotion_conflict"

_CURRENT = """
select id, connection_id, object_id, version, content_hash, item, body, told_at, state, words,
    approved_by, withdrawn_at, message_id
from price_version
where tenant_id = $1 and subject = 'promotion' and state = 'current' and withdrawn_at is null
order by item
"""


async def take_promotions(
    session: Session, _key: TenantKey, told: Sequence[Told]
) -> Mapping[Id, HoldRecord]:
    """Keep promotions as versions; gives a hold for each that contradicts itself.

    Two exclusive ones that can meet are both taken: which counts is fixed, and listed at once.
    """
    from_outside = [
        (one, one.event.body)
        for one in told
        if not one.event.to and isinstance(one.event.body, Promotion)
    ]
    if not from_outside:
        return {}
    holds: dict[Id, HoldRecord] = {}
    items = {promotion.promotion_id for _, promotion in from_outside}
    known = await versions_of(session, "promotion", items, with_superseded=True)
    new: list[Stored] = []
    for one, promotion in from_outside:
        hold = _fault(promotion)
        if hold is not None:
            holds[one.event_id] = hold
            continue
        telling = version_told(one, promotion, promotion.promotion_id)
        if not any(map(telling.is_same_telling, known.get(promotion.promotion_id, ()))):
            new.append(telling)
    await add_versions(session, "promotion", new)
    if new:
        await list_conflicts(session)
    return holds


async def list_conflicts(session: Session) -> None:
    """Write down which exclusive promotions can meet on one sale, and which of them counts."""
    tenant_id = acting_tenant(session)
    rows = await session.fetch(_CURRENT, tenant_id)
    promotions = [stored(row).read(Promotion) for row in rows]
    found = [_conflict(one, other) for one, other in conflicts(promotions)]
    await see_breaks(session, tenant_id, found)
    still = {each.key for each in found}
    known = await list_breaks(session, tenant_id, kind=CONFLICT)
    gone = [each.key for each in known if each.key not in still]
    if gone:
        await close_breaks(session, tenant_id, CONFLICT, gone, "They cannot meet any more.")


def _conflict(one: Promotion, other: Promotion) -> Seen:
    pair = sorted((one, other), key=lambda each: each.promotion_id)
    (newest,) = applied(pair, {each.promotion_id: Decimal(0) for each in pair})
    names = " and ".join(f"{each.name} ({each.promotion_id})" for each in pair)
    words = (
        f"{names} are both exclusive and can meet on one sale. The one that takes more off counts;"
        f" when both take the same, {newest.name} ({newest.promotion_id}). Give them different"
        " priorities, or let them be combined."
    )
    return Seen(CONFLICT, "|".join(each.promotion_id for each in pair), words)


def _fault(promotion: Promotion) -> HoldRecord | None:
    found = promotion_breaches(promotion)
    if not found:
        return None
    words = f"Promotion {promotion.name}: {' '.join(each.words for each in found)} Send it again."
    return HoldRecord(INVALID, found[0].pointer, words)
