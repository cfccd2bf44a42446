"""Kits: what they were made of at a moment, down to what stands on a shelf."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from infra.database.unit import Session
from infra.errors import Unprocessable
from tenants.audit import Detail, record

# A kit of kits of kits.
MOST_DEEP = 3
MOST_COMPONENTS = 200

_NEAR = """
with recursive up as (
    select kit_sku as sku, 1 as depth from kit_component
    where tenant_id = $1 and component_sku = any ($2)
    union
    select k.kit_sku, up.depth + 1 from kit_component k join up on k.component_sku = up.sku
    where k.tenant_id = $1 and up.depth < $3
), down as (
    select k.kit_sku, k.component_sku, k.quantity, k.valid_from, k.valid_to, 1 as depth
    from kit_component k
    where k.tenant_id = $1 and (k.kit_sku = any ($2) or k.kit_sku in (select sku from up))
    union
    select k.kit_sku, k.component_sku, k.quantity, k.valid_from, k.valid_to, down.depth + 1
    from kit_component k join down on k.kit_sku = down.component_sku
    where k.tenant_id = $1 and down.depth < $3
)
select distinct kit_sku, component_sku, quantity, valid_from, valid_to from down
"""
_END = """
update kit_component set valid_to = $3
where tenant_id = $1 and kit_sku = $2 and valid_to is null and valid_from < $3
"""
_ADD = """
insert into kit_component (tenant_id, kit_sku, component_sku, quantity, valid_from)
select $1, $2, part.sku, part.quantity, $5 from unnest($3::text[], $4::numeric[])
    as part (sku, quantity)
"""
_LATER = """
select count(*) from kit_component where tenant_id = $1 and kit_sku = $2 and valid_from >= $3
"""
_READ = """
select component_sku, quantity, valid_from, valid_to from kit_component
where tenant_id = $1 and kit_sku = $2 order by valid_from desc, component_sku
"""
_DUE = """
insert into stock_due (tenant_id, sku, occurred_at) values ($1, $2, now())
"""


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a kit, and from when to when (None: still) it is one."""

    sku: str
    quantity: Decimal
    valid_from: datetime
    valid_to: datetime | None


class KitBook:
    """Kits near some articles: those that contain them, and what they are made of themselves."""

    def __init__(self, rows: Mapping[str, Sequence[Component]]) -> None:
        self._rows = rows

    def __bool__(self) -> bool:
        return bool(self._rows)

    def kits(self) -> list[str]:
        """Name all kits."""
        return sorted(self._rows)

    def at(self, sku: str, moment: datetime) -> list[tuple[str, Decimal]] | None:
        """Give what a kit was made of; None for an article that was no kit then."""
        parts = self._parts(sku, moment)
        if not parts:
            return None
        flat: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._flatten(sku, Decimal(1), moment, flat, MOST_DEEP)
        return sorted(flat.items())

    def _parts(self, sku: str, moment: datetime) -> list[Component]:
        return [
            part
            for part in self._rows.get(sku, ())
            if part.valid_from <= moment and (part.valid_to is None or moment < part.valid_to)
        ]

    def _flatten(
        self,
        sku: str,
        quantity: Decimal,
        moment: datetime,
        flat: defaultdict[str, Decimal],
        deep: int,
    ) -> None:
        parts = self._parts(sku, moment) if deep else []
        if not parts:
            flat[sku] += quantity
        for part in parts:
            self._flatten(part.sku, quantity * part.quantity, moment, flat, deep - 1)


async def kits_near(session: Session, tenant_id: UUID, skus: Sequence[str]) -> KitBook:
    """Read the kits that these articles are, or are in, with all that they are made of."""
    rows: defaultdict[str, list[Component]] = defaultdict(list)
    for row in await session.fetch(_NEAR, tenant_id, skus, MOST_DEEP):
        rows[row["kit_sku"]].append(
            Component(row["component_sku"], row["quantity"], row["valid_from"], row["valid_to"])
        )
    return KitBook(rows)


async def read_kit(session: Session, tenant_id: UUID, kit_sku: str) -> list[Component]:
    """List what a kit is and was made of, the present first."""
    rows = await session.fetch(_READ, tenant_id, kit_sku)
    return [Component(*row) for row in rows]


async def set_kit(
    session: Session,
    tenant_id: UUID,
    kit_sku: str,
    parts: Mapping[str, Decimal],
    valid_from: datetime,
) -> None:
    """Let a kit be made of these parts from a moment on; without parts it is a kit no more.

    Sales before that moment keep their parts. Raises Unprocessable for a kit that contains itself,
    and for a moment before its present version.
    """
    if await session.fetch_value(_LATER, tenant_id, kit_sku, valid_from):
        words = f"{kit_sku} has a version of that moment or later. Choose a later moment."
        raise Unprocessable(words, code="kit.version_exists")
    book = await kits_near(session, tenant_id, [*parts, kit_sku])
    if kit_sku in parts or any(_contains(book, part, kit_sku, valid_from) for part in parts):
        words = f"{kit_sku} would contain itself. Take the part out that is made of it."
        raise Unprocessable(words, code="kit.contains_itself")
    await session.execute(_END, tenant_id, kit_sku, valid_from)
    names = sorted(parts)
    await session.execute(
        _ADD, tenant_id, kit_sku, names, [parts[name] for name in names], valid_from
    )
    await session.execute(_DUE, tenant_id, kit_sku)
    detail: Detail = {
        "parts": {name: str(parts[name]) for name in names},
        "from": valid_from.isoformat(),
    }
    await record(session, "stock.set_kit", f"article:{kit_sku}", detail)


def _contains(book: KitBook, sku: str, wanted: str, moment: datetime) -> bool:
    return any(part == wanted for part, _ in book.at(sku, moment) or ())
