"""The real NCR POSLog: everything reads, and one broken transaction breaks only itself."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.connectors.pos_files.reading import POSLOG, outcomes

_WHOLE = re.compile(rb"<Transaction>.*?</Transaction>", re.DOTALL)


def test_every_transaction_of_the_real_files_is_read(real_poslog: bytes) -> None:
    sales = real_poslog.count(b"<RetailTransaction ")
    controls = real_poslog.count(b"<ControlTransaction ")

    found = outcomes(real_poslog, POSLOG)

    assert found.held == {}
    assert len(found.events) == sales
    assert Counter(found.skipped.values()) == {"skipped.control_transaction": controls}
    assert len(found.records) == sales + controls


def test_tenders_of_the_real_files_add_up_per_kind(real_poslog: bytes) -> None:
    expected: defaultdict[str, Decimal] = defaultdict(Decimal)
    pattern = rb'<Tender TenderType="(\w+)".*?<Amount>(-?[\d.]+)</Amount>(.{0,14})'
    for kind, amount, following in re.findall(pattern, real_poslog):
        name = "change" if following.startswith(b"<TenderChange>") else kind.decode()
        expected[name] += Decimal(amount.decode())

    found = outcomes(real_poslog, POSLOG)

    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in found.orders():
        for tender in order.tenders:
            kind_name = {"cash": "Cash", "card": "CreditDebit"}.get(tender.kind, tender.kind)
            paid[kind_name] += tender.amount
    assert paid == expected


def test_totals_and_taxes_of_the_real_files_are_the_tills_own(real_poslog: bytes) -> None:
    totals = _totals(real_poslog, b"TransactionGrandAmount")
    taxes = _totals(real_poslog, b"TransactionTaxAmount")

    orders = outcomes(real_poslog, POSLOG).orders()

    assert [order.total for order in orders] == totals
    assert [_tax(order.lines) for order in orders] == taxes
    for order in orders:
        assert sum(line.gross for line in order.lines) == order.total
        assert sum(line.gross for line in order.lines if not line.is_voided) == order.total


def test_every_line_of_the_real_files_is_price_times_quantity_less_discount(
    real_poslog: bytes,
) -> None:
    orders = outcomes(real_poslog, POSLOG).orders()

    for line in (line for order in orders for line in order.lines):
        assert abs(line.unit_price * line.quantity - line.discount - line.net) <= Decimal("0.01")


@pytest.mark.parametrize(
    ("code", "pointer", "breaks"),
    [
        (
            "xml.malformed",
            "/Transaction",
            lambda raw: raw.replace(b"</Transaction>", b""),
        ),
        (
            "xml.malformed",
            "/Transaction",
            lambda raw: raw.replace(b"</RetailTransaction>", b""),
        ),
        (
            "xml.malformed",
            "/Transaction",
            lambda raw: raw.replace(b"<CurrencyCode>", b"<CurrencyCode", 1),
        ),
        (
            "xml.malformed",
            "/Transaction",
            lambda raw: raw.replace(b"<ReceiptDateTime>", b"<!-- <ReceiptDateTime>", 1),
        ),
        (
            "xml.malformed",
            "/Transaction",
            lambda raw: raw.replace(b"<ReceiptDateTime>", b"<![CDATA[<ReceiptDateTime>", 1),
        ),
        (
            "amount.invalid",
            "/Transaction/RetailTransaction/LineItem[1]/Sale/ExtendedAmount",
            lambda raw: re.sub(rb"<ExtendedAmount>-?[\d.]+", b"<ExtendedAmount>1,0O", raw, count=1),
        ),
        (
            "quantity.invalid",
            "/Transaction/RetailTransaction/LineItem[1]/Sale/Quantity",
            lambda raw: re.sub(rb"<Quantity>[\d.]+", b"<Quantity>NaN", raw, count=1),
        ),
        (
            "time.invalid",
            "/Transaction/EndDateTime",
            lambda raw: re.sub(rb"<EndDateTime>[^<]+", b"<EndDateTime>2017-02-30T10:00:00", raw),
        ),
        (
            "order.totals_differ",
            "/Transaction/RetailTransaction/LineItem/Tender",
            lambda raw: re.sub(
                rb'(<Total TotalType="TransactionGrandAmount">)', rb"\g<1>1", raw, count=1
            ),
        ),
        (
            "text.nul",
            "/Transaction",
            lambda raw: raw.replace(b"<Description>", b"<Description>\0", 1),
        ),
        (
            "xml.dtd",
            "/Transaction",
            lambda raw: raw.replace(b"<RetailTransaction ", b"<!DOCTYPE x><RetailTransaction ", 1),
        ),
    ],
)
def test_one_broken_sale_of_the_real_file_is_held_and_all_others_are_read(
    real_store_day: bytes, code: str, pointer: str, breaks: Callable[[bytes], bytes]
) -> None:
    sound = outcomes(real_store_day, POSLOG)
    victim = [
        raw for raw in _WHOLE.findall(real_store_day) if b"<Sale " in raw and b"<Tax " not in raw
    ][3]
    at = real_store_day.index(victim)
    broken = real_store_day[:at] + breaks(victim) + real_store_day[at + len(victim) :]

    found = outcomes(broken, POSLOG)

    (key, problem), *others = found.held.items()
    assert others == []
    assert (problem.code, problem.pointer) == (code, pointer)
    assert problem.amount is not None
    record = next(record for record in found.records if record.key == key)
    assert (record.position.byte, record.position.line) == (at, 1)
    natural = next(r.key for r in sound.records if r.position.byte == at)
    assert key.partition("!")[0] == natural
    expected = {key: event for key, event in sound.events.items() if key != natural}
    assert found.events == expected
    assert found.skipped == sound.skipped


def test_real_file_that_breaks_off_gives_every_complete_transaction(real_store_day: bytes) -> None:
    sound = outcomes(real_store_day, POSLOG)
    last = real_store_day.rindex(b"<Transaction>")

    found = outcomes(real_store_day[: last + 900], POSLOG)

    assert list(found.events.items()) == list(sound.events.items())[:-1]
    assert found.skipped == sound.skipped
    ((key, problem),) = found.held.items()
    assert problem.code == "poslog.incomplete"
    assert key.startswith("9/2017-10-01/2/303!")
    assert found.records[-1].position.byte == last


def _totals(content: bytes, kind: bytes) -> list[Decimal]:
    found = re.findall(rb'<Total TotalType="' + kind + rb'">(-?[\d.]+)</Total>', content)
    return [Decimal(amount.decode()) for amount in found]


def _tax(lines: tuple[object, ...]) -> Decimal:
    return sum((tax.amount for line in lines for tax in getattr(line, "taxes", ())), Decimal(0))
