"""What stays back, what waits for a person, and what may pass."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from app.retail.prices.judge import judge
from app.retail.prices.states import TRANSITIONS, may_become
from connectors.canonical.money import Money
from connectors.canonical.price import Price, PriceScope

D = Decimal
FRIDAY = datetime.fromisoformat("2026-11-27")
SATURDAY = datetime.fromisoformat("2026-11-28")
SUNDAY = datetime.fromisoformat("2026-11-29")
COST = Money(amount=D("4.00"), currency="USD")
STORE = PriceScope(kind="store", name="12")


def price(price_id: str = "P", amount: str = "9.99", **changes: Any) -> Price:
    told: dict[str, Any] = {"sku": "A", "currency": "USD", "effective_from": FRIDAY} | changes
    return Price(price_id=price_id, amount=D(amount), **told)


MAP = price("MAP", "5.00", kind="map")
REGULAR = price("R", "9.99")


@pytest.mark.parametrize(
    ("told", "others", "said", "approvable"),
    [
        (price(amount="-1"), (), "nothing or more", False),
        (price(effective_to=FRIDAY), (), "ends before it begins", False),
        (price(amount="3.99"), (), "cost of 4.00", True),
        (price(amount="4.99"), (MAP,), "lowest advertised price 5.00", True),
        (price(amount="4.99", scope=STORE), (MAP,), "lowest advertised price 5.00", True),
        (price(amount="9.99", kind="sale"), (REGULAR,), "not below 9.99", True),
        (price(amount="0.01", currency="CAD"), (), "placeholder", True),
        (price(), (price("Q"),), "at the same priority", False),
        (
            price(effective_from=SATURDAY),
            (price("Q", effective_to=SUNDAY),),
            "at the same priority",
            False,
        ),
    ],
)
def test_what_is_wrong_stays_back_and_what_is_doubtful_waits(
    told: Price, others: tuple[Price, ...], said: str, approvable: bool
) -> None:
    verdict = judge(told, others, COST)

    assert verdict is not None
    assert said in verdict.words
    assert verdict.may_be_approved is approvable
    assert verdict.as_hold(told).amount == Money(amount=told.amount, currency=told.currency)


@pytest.mark.parametrize(
    ("told", "others"),
    [
        (price(), ()),
        (price(amount="3.99", approved_by="Ada"), ()),
        (price(amount="3.99", currency="CAD"), ()),
        (price(amount="8.00", kind="sale"), (REGULAR, MAP)),
        # A price without an end gives way to the one that begins later, whichever came first.
        (price(effective_from=SATURDAY), (price("Q"),)),
        (price(), (price("Q", effective_from=SATURDAY),)),
        (price(priority=1), (price("Q"),)),
        (price(scope=STORE), (price("Q"),)),
    ],
)
def test_what_is_in_order_passes(told: Price, others: tuple[Price, ...]) -> None:
    assert judge(told, others, COST) is None


def test_every_state_leads_on_only_to_states_that_exist() -> None:
    assert set().union(*TRANSITIONS.values()) <= set(TRANSITIONS)
    assert may_become("sent", "accepted")
    assert not may_become("expired", "active")
