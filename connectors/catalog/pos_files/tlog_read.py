"""One ticket of a T-log as a till sale, or why it says nothing for anyone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO

from connectors.canonical.event import TILL_SALE, Event
from connectors.canonical.money import Money
from connectors.canonical.order import Customer, Line, Order, Tender
from connectors.catalog.pos_files.mapping import TENDER_KINDS
from connectors.catalog.pos_files.settings import TillSettings, till_settings
from connectors.catalog.pos_files.times import local_time, moment
from connectors.catalog.pos_files.tlog_flaws import flaw_of_row
from connectors.catalog.pos_files.tlog_layout import Layout, layout_of
from connectors.catalog.pos_files.tlog_lines import line_of, pointer, ticket_key, told_total
from connectors.catalog.pos_files.tlog_rows import Row, rows
from connectors.catalog.pos_files.window import Window
from connectors.sdk.message import HoldRecord, JsonObject, RawMessage, Reading

_CREDIT = re.compile(r"C[0-9]", re.ASCII)
_ADJUSTMENT = re.compile(r"A[0-9]", re.ASCII)
# A customer number that went through a spreadsheet comes as 17850.0; the number is 17850.
_SPREADSHEET_NUMBER = re.compile(r"([0-9]{1,15})\.0", re.ASCII)
_KINDS = frozenset({*TENDER_KINDS.values(), "other"})


@dataclass(frozen=True, slots=True)
class _Told:
    """A ticket's rows with how to read them."""

    number: str
    rows: tuple[Row, ...]
    layout: Layout
    till: TillSettings
    settings: JsonObject


def read_ticket(message: RawMessage) -> Reading:
    """Read one ticket; raises HoldRecord with the ticket's number and what its rows come to."""
    till, layout = till_settings(message.settings), layout_of(message.settings)
    found = tuple(rows(Window(BytesIO(message.body)), layout, till.encoding))
    told = _Told(_number(found), found, layout, till, message.settings)
    try:
        return _read(told)
    except HoldRecord as held:
        words = (
            held.words
            if held.words.startswith("Ticket ")
            else f"Ticket {told.number}: {held.words}"
        )
        total = told_total(found, layout, till.currency)
        amount = Money(amount=total, currency=till.currency) if total and till.currency else None
        raise HoldRecord(held.code, held.pointer, words, held.amount or amount) from None


def _read(told: _Told) -> Reading:
    _check_rows(told)
    if not told.till.currency:
        raise HoldRecord(
            "currency.missing",
            "/settings/currency",
            "Neither the file nor the connection names a currency. Set the connection's currency.",
        )
    lines = tuple(
        line_of(row.fields, at, told.layout, told.till.currency) for at, row in enumerate(told.rows)
    )
    skipped = _skipped(told, lines)
    if skipped:
        return Reading(skipped=skipped)
    _check_prices(told, lines)
    return Reading(events=(_event(_order(told, lines)),))


def _number(found: Sequence[Row]) -> str:
    return next((row.number for row in found if row.number), "without number")


def _check_rows(told: _Told) -> None:
    if not told.rows:
        raise HoldRecord("ticket.empty", "/rows", "It has no rows. Discard it.")
    for at, row in enumerate(told.rows):
        if row.flaw:
            raise flaw_of_row(row, at, told.number)
        if row.number != told.number:
            raise HoldRecord(
                "ticket.mixed",
                pointer(at, "invoice", told.layout),
                f"Row {at + 1} belongs to ticket {row.number}. A record holds one ticket.",
            )


def _skipped(told: _Told, lines: Sequence[Line]) -> str | None:
    """Say which tickets are no sale: bad-debt bookings, and corrections of stock without money.

    Invoices A... adjust bad debt and have a negative price: finance, not a ticket. Rows that all
    cost nothing and name no customer are stock written off or found ("check", "damages"), whose
    sign does not mean sold or taken back; as a sale they would move stock the wrong way.
    """
    if _ADJUSTMENT.match(told.number):
        return "skipped.finance_adjustment"
    is_free = all(not line.unit_price for line in lines)
    has_customer = any(told.layout.text(row.fields, "customer") for row in told.rows)
    return "skipped.stock_adjustment" if is_free and not has_customer else None


def _check_prices(told: _Told, lines: Sequence[Line]) -> None:
    for at, line in enumerate(lines):
        if line.unit_price < 0:
            raise HoldRecord(
                "price.negative",
                pointer(at, "unit_price", told.layout),
                f"Row {at + 1} has the price {line.unit_price}. What is taken back has a negative "
                "quantity, never a negative price. Correct the row, then release.",
            )
        if _CREDIT.match(told.number) and line.quantity > 0:
            raise HoldRecord(
                "ticket.sign_unclear",
                pointer(at, "quantity", told.layout),
                f"The ticket is a credit, but row {at + 1} sells {line.quantity}. "
                "Correct the sign or the number, then release.",
            )


def _order(told: _Told, lines: tuple[Line, ...]) -> Order:
    times = [
        local_time(
            told.layout.text(row.fields, "time"),
            told.layout.time_format,
            pointer(at, "time", told.layout),
        )
        for at, row in enumerate(told.rows)
    ]
    ended = [
        moment(local, told.till.zone, pointer(at, "time", told.layout))
        for at, local in enumerate(times)
    ]
    total = sum((line.gross for line in lines), Decimal(0))
    return Order(
        order_id=ticket_key(told.number, told.rows, told.layout),
        number=told.number,
        kind="pos",
        currency=told.till.currency,
        tax_inclusive=bool(told.settings.get("tax_inclusive")),
        placed_at=max(ended),
        business_day=times[0].date(),
        store=_setting(told, "store"),
        workstation=_setting(told, "workstation"),
        sequence=told.number.removeprefix("C"),
        lines=lines,
        total=total,
        tenders=_tenders(told.settings, total),
        customer=_customer(told),
    )


def _setting(told: _Told, name: str) -> str | None:
    return str(told.settings.get(name) or "") or None


def _tenders(settings: JsonObject, total: Decimal) -> tuple[Tender, ...]:
    """Pay the ticket with the connection's default tender; the file itself names none."""
    kind = settings.get("tender")
    if not kind or not total:
        return ()
    if kind not in _KINDS:
        raise HoldRecord(
            "tender.unknown",
            "/settings/tender",
            f'The connection pays tickets by "{kind}". Choose one of: {", ".join(sorted(_KINDS))}.',
        )
    return (Tender(kind=kind, name=str(kind), amount=total),)


def _customer(told: _Told) -> Customer | None:
    told_ids = (told.layout.text(row.fields, "customer") for row in told.rows)
    external_id = next((found for found in told_ids if found), "")
    number = _SPREADSHEET_NUMBER.fullmatch(external_id)
    return Customer(external_id=number[1] if number else external_id) if external_id else None


def _event(order: Order) -> Event:
    store, till = order.store or "-", order.workstation or "-"
    where = f", store {store} till {till}" if order.store else ""
    return Event(
        type=TILL_SALE,
        key=f"till:{store}/{till}",
        object_id=order.order_id,
        label=f"Ticket {order.number}{where}",
        occurred_at=order.placed_at,
        business_day=order.business_day,
        amount=Money(amount=order.total, currency=order.currency),
        body=order,
    )
