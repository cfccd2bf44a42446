"""What a person's directory scope shows of all retailers at once: who they are, what is open there.

One statement, one snapshot: every count of a page is taken from the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.exceptions.incidents.incident import COLUMNS, Incident, incident_of
from infra.database.unit import begin
from portal.door.viewer import Viewer

MOST_INCIDENTS = 500

_RETAILERS = (
    "select t.id, t.name, t.slug, t.timezone, t.currency, t.state, p.name as partner"
    " from tenant t join partner p on p.id = t.partner_id order by t.name, t.id"
)
_OPEN = (
    f"select {COLUMNS} from incident where state <> 'resolved' and title <> ''"  # noqa: S608
    f" order by weight desc, id desc limit {MOST_INCIDENTS}"
)


@dataclass(frozen=True, slots=True)
class Reached:
    """One retailer with what is open there, the most pressing first; money by currency."""

    id: UUID
    name: str
    slug: str
    timezone: str
    currency: str
    state: str
    partner: str
    incidents: tuple[Incident, ...] = ()

    @property
    def weight(self) -> Decimal:
        """Give money at risk times urgency, by which retailers are ranked."""
        return sum((each.weight for each in self.incidents), Decimal())

    @property
    def at_risk(self) -> dict[str, Decimal]:
        """Sum the money at risk."""
        return total(each.at_risk for each in self.incidents)

    @property
    def severity(self) -> int:
        """Give the gravest severity; -1 when nothing is open."""
        return max((each.severity for each in self.incidents), default=-1)

    @property
    def records(self) -> int:
        """Count what is held and what waits."""
        return sum(each.records for each in self.incidents)

    @property
    def since(self) -> datetime | None:
        """Give the beginning of what has been open for longest (UTC)."""
        return min((each.since_at for each in self.incidents), default=None)

    @property
    def owners(self) -> tuple[str, ...]:
        """Name who is on it, each once."""
        return tuple(dict.fromkeys(each.owner for each in self.incidents if each.owner))

    @property
    def unowned(self) -> int:
        """Count what nobody is on."""
        return sum(not each.owner for each in self.incidents)


async def reached(viewer: Viewer) -> list[Reached]:
    """Give all retailers that a person reaches, those that lose most first, then by name."""
    async with begin(viewer.directory, viewer.parts.database) as session:
        rows = await session.fetch(_RETAILERS)
        found = [incident_of(row) for row in await session.fetch(_OPEN)]
    by_tenant: dict[UUID, list[Incident]] = {}
    for each in found:
        by_tenant.setdefault(each.tenant_id, []).append(each)
    all_of_them = [
        Reached(**dict(row), incidents=tuple(by_tenant.get(row["id"], ()))) for row in rows
    ]
    return sorted(all_of_them, key=lambda each: (-each.severity, -each.weight, each.name))


def total(amounts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Sum money by currency."""
    summed: Counter[str] = Counter()
    for each in amounts:
        for currency, amount in each.items():
            summed[currency] += amount  # type: ignore[assignment]
    return {currency: Decimal(amount) for currency, amount in summed.items()}
