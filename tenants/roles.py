"""Who may do what: permission x role as data, denied unless a row says otherwise.

A partner's roles never include `payloads.read`: what a retailer's customers bought is the
retailer's to show. Nobody may give a role that would let them around their own limits (`MAY_GIVE`).
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID


class Level(StrEnum):
    """Whose key or membership it is: nobody's in particular, one partner's, one retailer's."""

    PLATFORM = "platform"
    PARTNER = "partner"
    RETAILER = "retailer"


class Permission(StrEnum):
    """One act, as routes and screens ask for it."""

    MESSAGES_SEND = "messages.send"
    MESSAGES_READ = "messages.read"
    PAYLOADS_READ = "payloads.read"
    DELIVERIES_READ = "deliveries.read"
    EXCEPTIONS_READ = "exceptions.read"
    EXCEPTIONS_DECIDE = "exceptions.decide"
    REPLAYS_RUN = "replays.run"
    REPLAYS_APPROVE = "replays.approve"
    ALERTS_MANAGE = "alerts.manage"
    CONNECTIONS_READ = "connections.read"
    CONNECTIONS_MANAGE = "connections.manage"
    FLOWS_READ = "flows.read"
    FLOWS_MANAGE = "flows.manage"
    STOCK_READ = "stock.read"
    STOCK_MANAGE = "stock.manage"
    PRICES_READ = "prices.read"
    PRICES_MANAGE = "prices.manage"
    LEDGER_READ = "ledger.read"
    FINANCE_READ = "finance.read"
    FINANCE_MANAGE = "finance.manage"
    KEYS_MANAGE = "keys.manage"
    DIRECTORY_READ = "directory.read"
    DIRECTORY_MANAGE = "directory.manage"
    AUDIT_READ = "audit.read"


class Role(StrEnum):
    """A bundle of permissions that a person or a machine key holds."""

    OPERATOR = "operator"
    PARTNER_ADMIN = "partner_admin"
    PARTNER_SUPPORT = "partner_support"
    RETAILER_ADMIN = "retailer_admin"
    RETAILER_STAFF = "retailer_staff"
    CONNECTOR = "connector"
    AUDITOR = "auditor"


_P = Permission
_SEES = frozenset(
    {
        _P.MESSAGES_READ,
        _P.DELIVERIES_READ,
        _P.EXCEPTIONS_READ,
        _P.CONNECTIONS_READ,
        _P.FLOWS_READ,
        _P.STOCK_READ,
        _P.PRICES_READ,
        _P.LEDGER_READ,
        _P.FINANCE_READ,
    }
)
_RUNS = _SEES | {
    _P.EXCEPTIONS_DECIDE,
    _P.REPLAYS_RUN,
    _P.CONNECTIONS_MANAGE,
    _P.FLOWS_MANAGE,
    _P.STOCK_MANAGE,
    _P.PRICES_MANAGE,
    _P.FINANCE_MANAGE,
}
_GOVERNS = _RUNS | {
    _P.REPLAYS_APPROVE,
    _P.ALERTS_MANAGE,
    _P.KEYS_MANAGE,
    _P.DIRECTORY_READ,
    _P.AUDIT_READ,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OPERATOR: _GOVERNS | {_P.DIRECTORY_MANAGE},
    Role.PARTNER_ADMIN: _GOVERNS | {_P.DIRECTORY_MANAGE},
    Role.PARTNER_SUPPORT: _SEES | {_P.EXCEPTIONS_DECIDE, _P.REPLAYS_RUN, _P.DIRECTORY_READ},
    Role.RETAILER_ADMIN: _GOVERNS | {_P.MESSAGES_SEND, _P.PAYLOADS_READ},
    Role.RETAILER_STAFF: _SEES | {_P.EXCEPTIONS_DECIDE},
    Role.CONNECTOR: frozenset({_P.MESSAGES_SEND, _P.MESSAGES_READ, _P.DELIVERIES_READ}),
    Role.AUDITOR: _SEES | {_P.DIRECTORY_READ, _P.AUDIT_READ},
}

LEVELS: dict[Role, frozenset[Level]] = {
    Role.OPERATOR: frozenset({Level.PLATFORM}),
    Role.PARTNER_ADMIN: frozenset({Level.PARTNER}),
    Role.PARTNER_SUPPORT: frozenset({Level.PARTNER}),
    Role.RETAILER_ADMIN: frozenset({Level.RETAILER}),
    Role.RETAILER_STAFF: frozenset({Level.RETAILER}),
    Role.CONNECTOR: frozenset({Level.RETAILER}),
    Role.AUDITOR: frozenset(Level),
}

# A partner does not make a retailer's administrator: with that key it would read payloads. The
# operator makes the first one, which the audit log shows.
MAY_GIVE: dict[Role, frozenset[Role]] = {
    Role.OPERATOR: frozenset(Role),
    Role.PARTNER_ADMIN: frozenset(
        {
            Role.PARTNER_ADMIN,
            Role.PARTNER_SUPPORT,
            Role.RETAILER_STAFF,
            Role.CONNECTOR,
            Role.AUDITOR,
        }
    ),
    Role.PARTNER_SUPPORT: frozenset(),
    Role.RETAILER_ADMIN: frozenset(
        {Role.RETAILER_ADMIN, Role.RETAILER_STAFF, Role.CONNECTOR, Role.AUDITOR}
    ),
    Role.RETAILER_STAFF: frozenset(),
    Role.CONNECTOR: frozenset(),
    Role.AUDITOR: frozenset(),
}


def allows(role: str, permission: str) -> bool:
    """Say whether a role includes a permission; an unknown name of either includes nothing."""
    known = role_named(role)
    return known is not None and permission in PERMISSIONS[known]


def may_give(giver: str, role: str) -> bool:
    """Say whether a holder of one role may hand out another; unknown names may not."""
    known = role_named(giver)
    return known is not None and role in MAY_GIVE[known]


def fits(role: str, *, partner_id: UUID | None, tenant_id: UUID | None) -> bool:
    """Say whether a role makes sense for this owner: no partner holds the operator's role."""
    known = role_named(role)
    return known is not None and level_of(partner_id, tenant_id) in LEVELS[known]


def level_of(partner_id: UUID | None, tenant_id: UUID | None) -> Level:
    """Name the level of an owner; both None is the platform."""
    if tenant_id is not None:
        return Level.RETAILER
    return Level.PLATFORM if partner_id is None else Level.PARTNER


def role_named(name: str) -> Role | None:
    """Read a role from outside or from a row; None for a name that is no role."""
    return _BY_NAME.get(name)


_BY_NAME: dict[str, Role] = {role.value: role for role in Role}
