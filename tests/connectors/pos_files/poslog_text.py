"""POSLogs for tests, written by hand: one transaction at a time, with what a test wants to vary."""

from __future__ import annotations

ROOT = (
    '<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/" '
    'xmlns:acs="http://www.ncr.com/rsd/acs/tlog/markup/poslog/2.1">'
)
LINE = (
    "<LineItem{flags}><SequenceNumber>{number}</SequenceNumber><Sale><ItemID>{item}</ItemID>"
    "<Description>Thing</Description><RegularSalesUnitPrice>{price}</RegularSalesUnitPrice>"
    "<ExtendedAmount>{amount}</ExtendedAmount>"
    "<ExtendedDiscountAmount>{discount}</ExtendedDiscountAmount><Quantity>{quantity}</Quantity>"
    "<acs:OperatorSequence>{number}</acs:OperatorSequence></Sale></LineItem>"
)


def line(amount: str, **other: str) -> str:
    values = {
        "flags": "", "number": "1", "item": "A-1", "price": amount, "quantity": "1", "discount": "0",
    }  # fmt: skip
    return LINE.format(amount=amount, **{**values, **other})


def tender(amount: str, kind: str = "Cash", inside: str = "", flags: str = "") -> str:
    return (
        f'<LineItem{flags}><Tender TenderType="{kind}" TypeCode="Sale"><Amount>{amount}</Amount>'
        f"{inside}</Tender></LineItem>"
    )


def transaction(
    inside: str,
    *,
    sequence: str = "1",
    flags: str = "",
    ended: str = "2026-03-07T12:00:00",
    currency: str = "USD",
) -> str:
    return (
        f"<Transaction{flags}><RetailStoreID>9</RetailStoreID><WorkstationID>34</WorkstationID>"
        f"<SequenceNumber>{sequence}</SequenceNumber><BusinessDayDate>2026-03-07</BusinessDayDate>"
        f"<EndDateTime>{ended}</EndDateTime><OperatorID>94</OperatorID>"
        f"<CurrencyCode>{currency}</CurrencyCode>{inside}</Transaction>"
    )


def sale(total: str, *items: str, status: str = "", **header: str) -> str:
    retail = (
        f"<RetailTransaction{status}>{''.join(items)}"
        f'<Total TotalType="TransactionGrandAmount">{total}</Total></RetailTransaction>'
    )
    return transaction(retail, **header)


def simple(sequence: int) -> str:
    return sale("5.00", line("5.00"), tender("5.00"), sequence=str(sequence))


def poslog(*transactions: str) -> bytes:
    return "\n".join((ROOT, *transactions, "</POSLog>\n")).encode()
