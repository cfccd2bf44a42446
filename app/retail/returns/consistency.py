"""Do goods, money, books and histories of a return agree? Sixteen answers, of which two may stay.

An answer is four digits: goods received, refund paid, books reversed, history told. `1111` is a return
that is through, `0000` one that never took place; everything else is on its way, or has come to a halt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.retail.returns import goods
from app.retail.returns.fold import Case
from app.retail.returns.plan import Plan

Owner = Literal["store", "customer service", "finance", "e-commerce", "nobody"]
LEGAL_ENDS = frozenset({"1111", "0000"})


@dataclass(frozen=True, slots=True)
class Halt:
    """What a combination means when it stays: in words, whose it is, and what to do."""

    words: str
    owner: Owner
    click: str


COMBINATIONS: dict[str, Halt] = {
    "0000": Halt("Nothing has happened yet.", "nobody", "Wait, or reject the return."),
    "0001": Halt(
        "The shop's history tells of a return of which nothing else is known.",
        "e-commerce", "Compare the history with the goods; tell what came."),
    "0010": Halt(
        "The books are reversed, but neither goods nor money went back.",
        "finance", "Take the reversal back, or tell what came and what was paid."),
    "0011": Halt(
        "The books and the history tell of a return, but neither goods nor money went back.",
        "finance", "Tell what came and what was paid."),
    "0100": Halt(
        "The refund is paid, and nothing else has happened.",
        "customer service", "Claim the goods at the carrier or channel, or write them off."),
    "0101": Halt(
        "The refund is paid and told; the goods and the books are missing.",
        "customer service", "Claim the goods, or write them off."),
    "0110": Halt(
        "The refund is paid and booked; the goods have not come.",
        "customer service", "Claim the goods, or write them off."),
    "0111": Halt(
        "Paid, booked and told, but the goods have not come.",
        "customer service", "Claim the goods, or write them off."),
    "1000": Halt(
        "The goods are here and the customer waits for the money.",
        "store", "Inspect the goods, or answer what is asked about the refund."),
    "1001": Halt(
        "The goods are here and the history tells of a refund that was not paid.",
        "customer service", "Pay the refund, or answer what is asked about it."),
    "1010": Halt(
        "The goods are here and booked, but the customer waits for the money.",
        "finance", "Pay the refund, or answer what is asked about it."),
    "1011": Halt(
        "Goods, books and history agree; the refund was not paid.",
        "finance", "Pay the refund, or answer what is asked about it."),
    "1100": Halt(
        "Goods and refund are through; the books and the history do not know it.",
        "finance", "Open the held record of the reversal and release it."),
    "1101": Halt(
        "Goods, refund and history agree; the books still show the sale.",
        "finance", "Open the held record of the reversal and release it."),
    "1110": Halt(
        "Goods, refund and books agree; the order's history does not show it.",
        "e-commerce", "Open the held record of the history and release it."),
    "1111": Halt("Goods, refund, books and history agree.", "nobody", "Nothing."),
}  # fmt: skip


def agreement_of(case: Case, made: Plan) -> str:
    """Give the four digits of a return."""
    has_goods = goods.is_received(case) and bool(goods.came(case) or not goods.expects_goods(case))
    is_final = made.steps["R4"] in {"done", "skipped"}
    # Money ahead of the goods is paid, too.
    has_paid = bool(case.refunded) and made.money.paid >= made.money.owed
    is_paid = has_paid or (made.money.is_even and is_final)
    is_booked = made.steps["R8"] == "done" and not any(case.suspended.values())
    answers = (has_goods, is_paid, is_booked or any(case.posted.values()), _is_told(case))
    return "".join(str(int(each)) for each in answers)


def _is_told(case: Case) -> bool:
    has_order = case.request is not None and case.request.order_id
    told = case.told.get("channel" if has_order else "customer")
    return told is not None and told.is_known and told.refunded == case.refunded
