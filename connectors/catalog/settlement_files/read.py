"""One settlement report as the canonical settlement; what it calls its amounts is kept as it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from connectors.canonical.event import SETTLEMENT_TOLD, Event
from connectors.canonical.money import Money
from connectors.canonical.settlement import Settlement, SettlementLine
from connectors.catalog.settlement_files.encoding import codec_name, decoded
from connectors.catalog.settlement_files.layout import Fields, Layout, Said, layout_of
from connectors.catalog.settlement_files.locale import Locale, locale_of, read_with
from connectors.sdk.message import HoldRecord, JsonObject, RawMessage, Reading

CHANNEL = "amazon"
_POSTED = ("posted-date-time", "posted-date")


def read_settlement(message: RawMessage) -> Reading:
    """Turn one report into its event; raises HoldRecord naming the line and column at fault."""
    text = decoded(message.body, codec_name(message.settings), 1)
    first, _, rest = text.partition("\n")
    layout = layout_of(first)
    begins = message.position.line if message.position else 2
    settlement = _settlement(layout, rest, begins, message.settings)
    event = Event(
        type=SETTLEMENT_TOLD,
        key=f"settlement:{settlement.channel}/{settlement.settlement_id}",
        object_id=f"{settlement.channel}/{settlement.account}/{settlement.settlement_id}",
        label=f"Settlement {settlement.settlement_id} of {settlement.channel}",
        occurred_at=settlement.period_end,
        amount=Money(amount=settlement.payout, currency=settlement.currency),
        body=settlement,
    )
    return Reading(events=(event,))


def _settlement(layout: Layout, text: str, begins: int, settings: JsonObject) -> Settlement:
    locale = locale_of(settings)
    head: Fields | None = None
    lines: list[SettlementLine] = []
    for number, fields in _rows(layout, text, begins):
        if fields["total-amount"] and not fields["transaction-type"]:
            head = fields
            continue
        lines += [_line(fields, said, number, locale) for said in layout.said(fields)]
    if head is None:
        words = "The line with the total is missing. Nothing was booked. Download the report again."
        raise HoldRecord("settlement.incomplete", "/total-amount", words)
    return _headed(head, tuple(lines), begins, locale, str(settings.get("account") or ""))


def _rows(layout: Layout, text: str, begins: int) -> Iterator[tuple[int, Fields]]:
    width = len(layout.columns)
    for number, line in enumerate(text.split("\n"), start=begins):
        fields = line.rstrip("\r").split("\t")
        if fields == [""]:
            continue
        # Empty fields at the end of a line may be left out.
        if len(fields) > width and any(fields[width:]):
            words = (
                f"Line {number} has {len(fields)} fields, the report has {width} columns. Nothing was"
                " booked. Download the report again."
            )
            raise HoldRecord("csv.columns", f"/line/{number}", words)
        fields += [""] * (width - len(fields))
        yield number, dict(zip(layout.columns, map(str.strip, fields), strict=False))


def _line(fields: Fields, said: Said, number: int, locale: Locale) -> SettlementLine:
    at = next((name for name in _POSTED if fields.get(name)), _POSTED[0])
    quantity = fields.get("quantity-purchased", "")
    return SettlementLine(
        posted_at=_moment(fields, at, number, locale),
        transaction_type=fields["transaction-type"],
        type=said.type,
        description=said.description,
        amount=_number(said.text, said.column, number, locale),
        order_ref=fields.get("order-id", ""),
        line_ref=fields.get("order-item-code", ""),
        sku=fields.get("sku", ""),
        quantity=_number(quantity, "quantity-purchased", number, locale) if quantity else None,
    )


def _headed(
    head: Fields, lines: tuple[SettlementLine, ...], number: int, locale: Locale, account: str
) -> Settlement:
    return Settlement(
        settlement_id=head["settlement-id"],
        channel=CHANNEL,
        account=account,
        currency=head["currency"],
        period_start=_moment(head, "settlement-start-date", number, locale),
        period_end=_moment(head, "settlement-end-date", number, locale),
        deposited_on=(
            _moment(head, "deposit-date", number, locale).date()
            if head.get("deposit-date")
            else None
        ),
        payout=_number(head["total-amount"], "total-amount", number, locale),
        lines=lines,
    )


def _number(text: str, column: str, number: int, locale: Locale) -> Decimal:
    return read_with(locale.number, text, number, column)


def _moment(fields: Fields, column: str, number: int, locale: Locale) -> datetime:
    return read_with(locale.moment, fields.get(column, ""), number, column)
