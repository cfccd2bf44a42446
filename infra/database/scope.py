"""Who a transaction acts for: the role it takes and the rows it may see."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TenantScope:
    """One retailer's rows; `actor` is who acts, as the audit log names it."""

    tenant_id: UUID
    actor: str = "system"

    def opening(self) -> str:
        """Give the SQL that takes this scope until the transaction ends."""
        return f"set local role tillwire_app; set local app.tenant_id = '{self.tenant_id}'"


@dataclass(frozen=True, slots=True)
class PartnerScope:
    """A partner's directory: its retailers and keys, never their payloads."""

    partner_id: UUID
    actor: str = "system"

    def opening(self) -> str:
        """Give the SQL that takes this scope until the transaction ends."""
        return f"set local role tillwire_app; set local app.partner_id = '{self.partner_id}'"


@dataclass(frozen=True, slots=True)
class OperatorScope:
    """The whole directory of partners and retailers, never their payloads."""

    actor: str = "system"

    def opening(self) -> str:
        """Give the SQL that takes this scope until the transaction ends."""
        return "set local role tillwire_app; set local app.operator = 'on'"


@dataclass(frozen=True, slots=True)
class GateScope:
    """Only to find out whose key or hook token was shown."""

    def opening(self) -> str:
        """Give the SQL that takes this scope until the transaction ends."""
        return "set local role tillwire_gate"


@dataclass(frozen=True, slots=True)
class IntakeScope:
    """To write accepted messages of the listed tenants; payloads cannot be read."""

    tenant_ids: tuple[UUID, ...]

    def opening(self) -> str:
        """Give the SQL that takes this scope until the transaction ends."""
        listed = ",".join(str(tenant_id) for tenant_id in self.tenant_ids)
        return f"set local role tillwire_intake; set local app.tenant_ids = '{{{listed}}}'"


@dataclass(frozen=True, slots=True)
class EngineScope:
    """To claim, settle and count across tenants; payloads cannot be read."""

    def opening(self) -> str:
        """Give the SQL that takes this scope until the transaction ends."""
        return "set local role tillwire_engine"


Scope = TenantScope | PartnerScope | OperatorScope | GateScope | IntakeScope | EngineScope
