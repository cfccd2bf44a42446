"""A retailer's terms of returns, and which steps its own systems do without being asked."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from app.connections.tenant import acting_tenant
from app.retail.returns.facts import Policy
from connectors.canonical.return_step import ReturnTask
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from tenants.audit import record

# What may be done by others without a word to us; money is never among it.
MAY_BE_ELSEWHERE: tuple[ReturnTask, ...] = ("stock", "reversal", "points", "history", "customer")

_READ = "select policy, elsewhere from return_terms where tenant_id = $1"
_WRITE = """
insert into return_terms (tenant_id, policy, elsewhere, updated_by) values ($1, $2, $3, $4)
on conflict (tenant_id) do update set policy = excluded.policy, elsewhere = excluded.elsewhere,
    updated_by = excluded.updated_by, updated_at = now()
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts for returns that begin from now on; `elsewhere` counts at once."""

    policy: Policy = field(default_factory=Policy)
    elsewhere: frozenset[ReturnTask] = frozenset()


async def terms_of(session: Session) -> Terms:
    """Read the terms of the acting retailer; those of the house where it has none."""
    row = await session.fetch_one(_READ, acting_tenant(session))
    if row is None:
        return Terms()
    return Terms(_POLICY.decode(row["policy"]), frozenset(row["elsewhere"]))


async def read_terms(scope: TenantScope, database: Database) -> Terms:
    """Read a retailer's terms."""
    async with begin(scope, database) as session:
        return await terms_of(session)


async def set_terms(scope: TenantScope, database: Database, terms: Terms) -> Terms:
    """Set a retailer's terms; returns that are under way keep theirs."""
    async with begin(scope, database) as session:
        await session.execute(
            _WRITE,
            scope.tenant_id,
            _ENCODER.encode(terms.policy).decode(),
            sorted(terms.elsewhere),
            scope.actor,
        )
        detail = {"elsewhere": ", ".join(sorted(terms.elsewhere))}
        await record(session, "returns.set_terms", f"tenant:{scope.tenant_id}", detail)
    return terms


_ENCODER = msgspec.json.Encoder(decimal_format="string")
_POLICY = msgspec.json.Decoder(Policy)
