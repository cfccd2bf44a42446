"""Every row of the permission table, and the rules that no row may break."""

from __future__ import annotations

from uuid import UUID

import pytest

from tenants.roles import (
    LEVELS,
    MAY_GIVE,
    PERMISSIONS,
    Level,
    Permission,
    Role,
    allows,
    fits,
    level_of,
    may_give,
)

SOME = UUID(int=1)

# The matrix as people read it; a change of the product's table must be made here too.
MATRIX = """
                    operator partner_admin partner_support retailer_admin retailer_staff connector auditor
messages.send       -        -             -               yes            -              yes       -
messages.read       yes      yes           yes             yes            yes            yes       yes
payloads.read       -        -             -               yes            -              -         -
deliveries.read     yes      yes           yes             yes            yes            yes       yes
exceptions.read     yes      yes           yes             yes            yes            -         yes
exceptions.decide   yes      yes           yes             yes            yes            -         -
replays.run         yes      yes           yes             yes            -              -         -
replays.approve     yes      yes           -               yes            -              -         -
alerts.manage       yes      yes           -               yes            -              -         -
connections.read    yes      yes           yes             yes            yes            -         yes
connections.manage  yes      yes           -               yes            -              -         -
flows.read          yes      yes           yes             yes            yes            -         yes
flows.manage        yes      yes           -               yes            -              -         -
stock.read          yes      yes           yes             yes            yes            -         yes
stock.manage        yes      yes           -               yes            -              -         -
prices.read         yes      yes           yes             yes            yes            -         yes
prices.manage       yes      yes           -               yes            -              -         -
ledger.read         yes      yes           yes             yes            yes            -         yes
finance.read        yes      yes           yes             yes            yes            -         yes
finance.manage      yes      yes           -               yes            -              -         -
keys.manage         yes      yes           -               yes            -              -         -
directory.read      yes      yes           yes             yes            -              -         yes
directory.manage    yes      yes           -               -              -              -         -
audit.read          yes      yes           -               yes            -              -         yes
"""  # noqa: E501 - a table is read across


def matrix() -> dict[tuple[str, str], bool]:
    head, *lines = MATRIX.strip("\n").splitlines()
    cells = {}
    for line in lines:
        permission, *answers = line.split()
        for role, answer in zip(head.split(), answers, strict=True):
            cells[role, permission] = answer == "yes"
    return cells


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_a_role_allows_what_the_matrix_says(role: Role, permission: Permission) -> None:
    assert allows(role, permission) is matrix()[role, permission]


def test_every_role_stands_in_every_table() -> None:
    assert set(PERMISSIONS) == set(LEVELS) == set(MAY_GIVE) == set(Role)


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        ("root", "messages.read"),
        ("", ""),
        ("operator", "everything"),
        ("operator", ""),
        ("OPERATOR", "messages.read"),
        ("operator ", "messages.read"),
    ],
)
def test_what_no_row_names_is_denied(role: str, permission: str) -> None:
    assert allows(role, permission) is False


@pytest.mark.parametrize("giver", Role)
def test_nobody_below_the_operator_gives_more_than_they_have(giver: Role) -> None:
    if giver is Role.OPERATOR:
        assert MAY_GIVE[giver] == set(Role)
        return

    for role in MAY_GIVE[giver]:
        # A machine that sends and cannot read contents is no way around one's own limits.
        assert PERMISSIONS[role] - PERMISSIONS[giver] <= {Permission.MESSAGES_SEND}


def test_no_partner_role_reaches_payloads_even_through_a_role_it_gives() -> None:
    for role in (Role.PARTNER_ADMIN, Role.PARTNER_SUPPORT):
        reached = {role, *MAY_GIVE[role]}
        assert not any(allows(each, Permission.PAYLOADS_READ) for each in reached)


def test_unknown_roles_give_nothing_and_are_not_given() -> None:
    assert may_give("root", "connector") is False
    assert may_give("operator", "root") is False


@pytest.mark.parametrize(
    ("partner_id", "tenant_id", "level"),
    [(None, None, Level.PLATFORM), (SOME, None, Level.PARTNER), (None, SOME, Level.RETAILER)],
)
def test_a_role_fits_only_owners_of_its_level(
    partner_id: UUID | None, tenant_id: UUID | None, level: Level
) -> None:
    assert level_of(partner_id, tenant_id) is level
    for role in Role:
        assert fits(role, partner_id=partner_id, tenant_id=tenant_id) is (level in LEVELS[role])
    assert fits("root", partner_id=partner_id, tenant_id=tenant_id) is False
