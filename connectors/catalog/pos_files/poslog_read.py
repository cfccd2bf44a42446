"""One POSLog transaction as a till sale, or why it says nothing for anyone."""

from __future__ import annotations

from lxml import etree

from connectors.canonical.event import TILL_SALE, Event
from connectors.canonical.money import Money
from connectors.canonical.order import Customer, Order
from connectors.catalog.pos_files.amounts import amount, told_amount
from connectors.catalog.pos_files.mapping import (
    CONTROL,
    CONTROL_KINDS,
    FLAGS,
    STATES,
    UNDOING_LINKS,
)
from connectors.catalog.pos_files.poslog_key import (
    DAY,
    OPERATOR,
    SEQUENCE,
    STORE,
    TILL,
    check_header,
    header_of,
    natural_key,
    total_in,
)
from connectors.catalog.pos_files.poslog_lines import balanced_lines
from connectors.catalog.pos_files.poslog_parse import (
    attribute,
    child,
    children,
    name_of,
    parse,
    text_at,
)
from connectors.catalog.pos_files.poslog_tenders import paid_in, tenders_of
from connectors.catalog.pos_files.settings import TillSettings, till_settings
from connectors.catalog.pos_files.times import day, local_time, moment
from connectors.sdk.message import HoldRecord, RawMessage, Reading

RETAIL = "/Transaction/RetailTransaction"
_TOTAL = "TransactionGrandAmount"


def read_transaction(message: RawMessage) -> Reading:
    """Read one transaction; raises HoldRecord with the ticket's name and its total, if told."""
    till = till_settings(message.settings)
    try:
        transaction = parse(message.body, till.encoding)
    except HoldRecord as held:
        total = held.amount or total_in(message.body, till.currency)
        raise HoldRecord(held.code, held.pointer, held.words, total) from None
    try:
        return _read(transaction, till)
    except HoldRecord as held:
        words = f"{_label(transaction)}: {held.words}"
        total = held.amount or _total_told(transaction, till)
        raise HoldRecord(held.code, held.pointer, words, total) from None


def _read(transaction: etree._Element, till: TillSettings) -> Reading:
    check_header(header_of(transaction))
    skipped = _skipped(transaction)
    if skipped:
        return Reading(skipped=skipped)
    retail = child(transaction, "RetailTransaction")
    if retail is None:
        _refuse_unknown_money(transaction)
        return Reading(skipped=CONTROL)
    if not _sells(retail):
        return Reading(skipped=CONTROL)
    return Reading(events=(_event(_order(transaction, retail, till), transaction),))


def _skipped(transaction: etree._Element) -> str | None:
    for flag, reason in FLAGS.items():
        if attribute(transaction, flag).lower() in {"true", "1"}:
            return reason
    if any(name_of(inner) in CONTROL_KINDS for inner in transaction):
        return CONTROL
    retail = child(transaction, "RetailTransaction")
    state = attribute(retail, "TransactionStatus") if retail is not None else ""
    return STATES.get(state.rpartition(":")[2])


def _refuse_unknown_money(transaction: etree._Element) -> None:
    """Hold a transaction of an unknown kind that carries a tender; without one it is control."""
    if any(name_of(inner) == "Tender" for inner in transaction.iter()):
        kind = next((name_of(inner) for inner in transaction if len(inner)), "nothing")
        raise HoldRecord(
            "ticket.kind_unknown",
            f"/Transaction/{kind}",
            f"It is a {kind}, which is not known here, and it carries money. "
            "Decide whether it is a sale, then release or discard it.",
        )


def _sells(retail: etree._Element) -> bool:
    """Say whether a retail transaction sells or takes anything; opening the drawer does not."""
    kinds = {name_of(inner) for item in children(retail, "LineItem") for inner in item}
    is_zero = all(not (total.text or "").strip(" 0.-") for total in children(retail, "Total"))
    return bool(
        kinds & {"Sale", "Return", "Tender", "Tax", "SaleForDelivery", "SaleForPickup"}
    ) or (not is_zero)


def _order(transaction: etree._Element, retail: etree._Element, till: TillSettings) -> Order:
    header = header_of(transaction)
    currency = _currency(transaction, till)
    total = amount(_total_text(retail), currency, f"{RETAIL}/Total[@TotalType='{_TOTAL}']")
    local = local_time(text_at(transaction, "EndDateTime"), "", "/Transaction/EndDateTime")
    tenders = tenders_of(retail, currency)
    if paid_in(tenders) != total:
        raise _unpaid(Money(amount=paid_in(tenders), currency=currency), total)
    return Order(
        order_id=natural_key(header, with_operator=till.has_key_per_operator),
        number=header[SEQUENCE],
        kind="pos",
        currency=currency,
        placed_at=moment(local, till.zone, "/Transaction/EndDateTime"),
        business_day=day(header[DAY], f"/Transaction/{DAY}"),
        store=header[STORE],
        workstation=header[TILL],
        operator=header[OPERATOR] or None,
        sequence=header[SEQUENCE],
        lines=balanced_lines(retail, total, currency, till.weight_uom),
        total=total,
        tenders=tenders,
        customer=_customer(retail),
        cancels=_cancelled(transaction, retail, till),
    )


def _event(order: Order, transaction: etree._Element) -> Event:
    return Event(
        type=TILL_SALE,
        key=f"till:{order.store}/{order.workstation}",
        object_id=order.order_id,
        label=_label(transaction),
        occurred_at=order.placed_at,
        business_day=order.business_day,
        amount=Money(amount=order.total, currency=order.currency),
        body=order,
    )


def _currency(transaction: etree._Element, till: TillSettings) -> str:
    told = text_at(transaction, "CurrencyCode")
    currency = told or till.currency
    if not currency or (till.currency and told not in {"", till.currency}):
        raise HoldRecord(
            "order.currency_differs" if currency else "currency.missing",
            "/Transaction/CurrencyCode",
            f'The ticket is in "{told or "no currency"}", the connection in '
            f'"{till.currency or "none"}". Both must agree; correct the connection or the ticket.',
        )
    return currency


def _total_text(retail: etree._Element) -> str:
    for total in children(retail, "Total"):
        if attribute(total, "TotalType").rpartition(":")[2] == _TOTAL:
            return (total.text or "").strip()
    raise HoldRecord(
        "order.total_missing",
        f"{RETAIL}/Total[@TotalType='{_TOTAL}']",
        "It has no grand total, so nobody can say whether it is complete. Add the total, then "
        "release it.",
    )


def _unpaid(paid: Money, total: object) -> HoldRecord:
    return HoldRecord(
        "order.totals_differ",
        f"{RETAIL}/LineItem/Tender",
        f"The tenders less change come to {paid.amount} {paid.currency}, the total is {total} "
        f"{paid.currency}. They must be equal. Correct the tenders at the till, or release it with "
        "the tender that is missing.",
    )


def _customer(retail: etree._Element) -> Customer | None:
    for item in children(retail, "LineItem"):
        member = text_at(item, "LoyaltyMembership", "LoyaltyID")
        if member:
            return Customer(external_id=member)
    return None


def _cancelled(
    transaction: etree._Element, retail: etree._Element, till: TillSettings
) -> str | None:
    """Give the key of the ticket that this one undoes, if told; parts left out are its own."""
    header = header_of(transaction)
    for link in retail.iter():
        if name_of(link) == "TransactionLink":
            reason = attribute(link, "ReasonCode").rpartition(":")[2]
            told = {name: text for name, text in header_of(link).items() if text}
            if reason in UNDOING_LINKS and SEQUENCE in told:
                return natural_key({**header, **told}, with_operator=till.has_key_per_operator)
    return None


def _label(transaction: etree._Element) -> str:
    header = header_of(transaction)
    return f"Ticket {header[SEQUENCE]}, store {header[STORE]} till {header[TILL]}"


def _total_told(transaction: etree._Element, till: TillSettings) -> Money | None:
    retail = child(transaction, "RetailTransaction")
    try:
        text = _total_text(retail) if retail is not None else ""
    except HoldRecord:
        return None
    return told_amount(text, text_at(transaction, "CurrencyCode") or till.currency)
