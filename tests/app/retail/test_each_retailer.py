"""A duty done at many retailers: a fault at one is told, and a book that is away is no fault."""

from __future__ import annotations

import pytest

from app.retail.each_retailer import for_each_retailer
from infra.database.scope import TenantScope
from infra.errors import Unavailable, Unprocessable
from infra.ids import new_id


async def test_a_fault_at_one_retailer_keeps_no_other_waiting() -> None:
    tenants = [new_id() for _ in range(4)]
    seen = []

    async def work(scope: TenantScope) -> int:
        seen.append(scope.tenant_id)
        if scope.tenant_id == tenants[1]:
            raise ZeroDivisionError
        if scope.tenant_id == tenants[2]:
            raise Unprocessable("This retailer's table is odd.")
        return 2

    assert await for_each_retailer("stock", tenants, work) == 4
    assert seen == tenants


async def test_a_book_that_is_away_is_nobodys_fault(capsys: pytest.CaptureFixture[str]) -> None:
    async def work(_: TenantScope) -> int:
        raise Unavailable("The book cannot be reached.")

    with pytest.raises(Unavailable):
        await for_each_retailer("stock", [new_id()], work)
    assert "duty.failed" not in capsys.readouterr().out
