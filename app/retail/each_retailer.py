"""One retailer after the other, and the fault of one keeps no other waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

from infra.database.scope import TenantScope
from infra.errors import Unavailable
from infra.telemetry.tell_fault import tell_fault


async def for_each_retailer(
    case: str, tenants: Iterable[UUID], work: Callable[[TenantScope], Awaitable[int]]
) -> int:
    """Do the same work at each retailer, in its own scope; gives the sum of what it gives.

    A fault at one is told under `case`, and the next one follows. Raises Unavailable when the book is
    away: that is nobody's fault, and the same for all; the duty comes again.
    """
    done = 0
    for tenant_id in tenants:
        try:
            done += await work(TenantScope(tenant_id, "engine"))
        except Unavailable:
            raise
        except Exception as fault:  # noqa: BLE001 - one retailer's fault must not stop the others
            tell_fault("duty.failed", fault, case=case, tenant=str(tenant_id))
    return done
