"""Settlements add up or are refused, every planted difference is found, and suspense hides nothing."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retail.journals.rules import PostingRules
from app.retail.settlements.bank import match_bank
from app.retail.settlements.booking import ROLE_OF, settlement_balances
from app.retail.settlements.categories import CATEGORIES, REFUNDING, classify
from app.retail.settlements.match import Difference, Expected, match, missing, overdue
from app.retail.settlements.proof import accrual, not_payable, prove
from connectors.canonical.settlement import BankLine, Payout, Settlement, SettlementLine, line_keys
from tests.app.retail.settlements.report import END, START, D, Row, as_tsv, read, sold

PLAIN = PostingRules()


def line(
    type_: str, description: str, amount: str, order: str = "", **told: object
) -> SettlementLine:
    made = {"posted_at": START, "transaction_type": "Order", "type": type_, "order_ref": order}
    made |= {"description": description, "amount": D(amount)}
    return SettlementLine(**{**made, **told})  # type: ignore[arg-type]


def settlement(*lines: SettlementLine, payout: str, **told: object) -> Settlement:
    made: dict[str, object] = {
        "settlement_id": "1", "channel": "amazon", "currency": "USD", "period_start": START,
        "period_end": END, "payout": D(payout), "lines": lines,
    }  # fmt: skip
    return Settlement(**{**made, **told})  # type: ignore[arg-type]


def booked(told: Settlement, rules: PostingRules = PLAIN, orphans: tuple[str, ...] = ()) -> dict[
    str, Decimal
]:  # fmt: skip
    lines, _ = classify(told.channel, told.lines)
    balances = settlement_balances(told, lines, orphans, rules)
    return {f"{role}/{detail}".rstrip("/"): amount for (role, detail), amount in balances.items()}


def test_a_settlement_of_planted_differences_shows_each_and_no_other() -> None:
    """L17. 2,000 orders, 25 planted breaks: all found with their money, none besides."""
    world = sold(2_000)
    rows, expected = [*world.rows], {each.order_ref: each for each in world.expected}
    planted: set[tuple[str, str, Decimal]] = set()
    for number in range(10):
        at = next(i for i, row in enumerate(rows) if row[1] == f"112-{number * 7 + 1:07d}")
        kind, order, type_, description, amount = rows[at]
        rows[at] = (kind, order, type_, description, str(D(amount) - D("0.01")))
        planted.add(("amount_differs", order, D("-0.01")))
    for number in range(5):
        order = f"112-{number * 11 + 500:07d}"
        planted.add(("orphan_settlement", order, _worth(rows, order)))
        del expected[order]
    for number in range(5):
        order = f"112-{number * 13 + 801:07d}"
        at = next(i for i, row in enumerate(rows) if row[1:4] == (order, "ItemFees", "Commission"))
        rows[at] = (*rows[at][:4], str(D(rows[at][4]) - 1))
        planted.add(("fee_variance", order, D(-1)))
    for number in range(5):
        order = f"112-{number * 20 + 1000:07d}"
        expected[order] = replace(expected[order], refunds=expected[order].refunds + D("0.05"))
        planted.add(("refund_differs", order, D("-0.05")))

    told = read(as_tsv(rows))
    lines, new = classify("amazon", told.lines)
    found = match(lines, expected.values())

    assert prove(told).is_exact
    assert new == []
    assert {(each.kind, each.order_ref, each.amount) for each in found.differences} == planted
    assert (len(planted), found.orders, found.agreed) == (25, 2_000, 1_975)
    assert found.unexplained == sum((amount for *_, amount in planted), D(0))


def _worth(rows: list[Row], order: str) -> Decimal:
    fees = {"Commission", "FBAPerUnitFulfillmentFee"}
    return sum((D(row[4]) for row in rows if row[1] == order and row[3] not in fees), D(0))


def test_a_settlement_that_does_not_add_up_is_seen_to_the_cent() -> None:
    told = read(as_tsv(sold(20).rows, off=D("0.01")))

    assert not prove(told).is_exact
    assert prove(told).difference == D("0.01")


@given(st.lists(st.tuples(st.sampled_from(["Principal", "Commission", "New words", "Tax"]),
                          st.integers(-10**6, 10**6)), max_size=8),
       st.integers(-10**4, 10**4), st.integers(-10**4, 10**4))  # fmt: skip
def test_whatever_a_settlement_says_it_is_booked_balanced(
    told: list[tuple[str, int]], opening: int, closing: int
) -> None:
    lines = [
        line("ItemFees" if name == "Commission" else "ItemPrice", name, str(D(units).scaleb(-2)))
        for name, units in told
    ]
    reserves = {
        "opening_reserve": D(opening).scaleb(-2), "closing_reserve": D(closing).scaleb(-2)
    }  # fmt: skip
    payout = sum((each.amount for each in lines), reserves["opening_reserve"])
    whole = settlement(*lines, payout=str(payout - reserves["closing_reserve"]), **reserves)

    assert prove(whole).is_exact
    assert sum(booked(whole).values()) == 0


def test_words_never_seen_are_one_question_and_stand_in_suspense() -> None:
    """E-F06. Three lines of one new fee: one question; the settlement balances all the same."""
    whole = settlement(
        line("ItemPrice", "Principal", "100.00", "1"),
        *(line("ItemFees", "HighReturnRateFee", "-1.50", "1") for _ in range(3)),
        payout="95.50",
    )

    _, new = classify("amazon", whole.lines)

    assert [(each.description, each.lines, each.amount) for each in new] == [
        ("HighReturnRateFee", 3, D("-4.50"))
    ]
    assert booked(whole) == {
        "cash_in_transit/amazon": D("95.50"),
        "marketplace_receivable": D("-100.00"),
        "settlement_suspense/ItemFees: HighReturnRateFee": D("4.50"),
    }
    learned, none = classify(
        "amazon", whole.lines, {("ItemFees", "HighReturnRateFee"): "selling_fee"}
    )
    assert none == []
    assert [each.category for each in learned] == ["principal", *["selling_fee"] * 3]


def test_tax_that_the_marketplace_keeps_comes_to_nothing() -> None:
    """E-X04."""
    whole = settlement(
        line("ItemPrice", "Principal", "100.00", "1"),
        line("ItemPrice", "Tax", "8.00", "1"),
        line("ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", "-8.00", "1"),
        payout="100.00",
    )

    assert booked(whole) == {
        "cash_in_transit/amazon": D("100.00"), "marketplace_receivable": D("-100.00"),
    }  # fmt: skip
    in_and_out = booked(whole, PostingRules(marketplace_tax="in_and_out"))
    assert in_and_out["marketplace_receivable"] == D("-108.00")
    assert in_and_out["marketplace_tax/settled"] == D("8.00")


def test_a_negative_payout_is_owed_to_the_channel() -> None:
    """E-F09."""
    whole = settlement(
        line("ItemPrice", "Principal", "-30.00", "1", transaction_type="Refund"), payout="-30.00"
    )

    assert prove(whole).is_exact
    assert booked(whole) == {
        "cash_in_transit/amazon": D("-30.00"), "marketplace_receivable": D("30.00"),
    }  # fmt: skip


def test_deferred_money_stays_receivable_until_it_is_released_or_overdue() -> None:
    """E-F04."""
    deferred = line("ItemPrice", "Principal", "70.00", "2", release="deferred")
    whole = settlement(line("ItemPrice", "Principal", "30.00", "1"), deferred, payout="30.00")
    known = {"2": (date(2026, 11, 20), D("70.00"))}

    assert prove(whole).is_exact
    assert prove(whole).deferred == D("70.00")
    assert booked(whole)["marketplace_receivable"] == D("-30.00")
    assert overdue(known, [], date(2026, 11, 23)) == []
    assert [each.kind for each in overdue(known, [], date(2026, 11, 24))] == ["deferred_overdue"]
    assert overdue(known, ["2"], date(2026, 12, 24)) == []


def test_an_order_in_no_settlement_is_missed_when_it_is_due() -> None:
    """E-F03."""
    orders = [Expected("1", date(2026, 10, 1), D("10.00")), Expected("2", date(2026, 10, 1), D(5))]
    orders.append(Expected("3", date(2026, 10, 29), D("7.00")))

    found = missing(orders, ["2"], "amazon", date(2026, 11, 1))

    assert found == [Difference("missing_in_settlement", "1", D("10.00"), D(0))]
    assert found[0].words("USD") == (
        "Order 1 was sold for 10.00 USD and is in no settlement by now. Ask the channel for it."
    )


def test_money_for_an_order_never_received_is_told_and_stands_in_suspense() -> None:
    """E-F02."""
    whole = settlement(line("ItemPrice", "Principal", "10.00", "9"), payout="10.00")
    lines, _ = classify("amazon", whole.lines)

    (found,) = match(lines, []).differences

    assert (found.kind, found.amount) == ("orphan_settlement", D("10.00"))
    assert booked(whole, orphans=("9",)) == {
        "cash_in_transit/amazon": D("10.00"), "settlement_suspense/unknown orders": D("-10.00"),
    }  # fmt: skip


def test_an_order_paid_in_parts_is_no_difference_while_it_is_young() -> None:
    lines, _ = classify("amazon", [line("ItemPrice", "Principal", "10.00", "1")])
    order = [Expected("1", date(2026, 11, 10), D("30.00"))]

    assert match(lines, order, due_before=date(2026, 11, 1)).differences == ()
    assert len(match(lines, order, due_before=date(2026, 11, 11)).differences) == 1


def test_a_fee_within_half_a_percent_of_the_contract_is_no_difference() -> None:
    lines, _ = classify("amazon", [line("ItemFees", "Commission", "-10.05", "1")])

    def wanted(fees: str) -> list[Expected]:
        return [Expected("1", date(2026, 11, 10), D("70.00"), fees=D(fees))]

    assert match(lines, wanted("-10.00")).differences == ()
    assert [each.kind for each in match(lines, wanted("-9.99")).differences] == ["fee_variance"]


def test_a_settlement_over_a_months_end_is_accrued_by_when_lines_were_posted() -> None:
    """E-F01."""
    before = line(
        "ItemPrice", "Principal", "10.00", "1", posted_at=datetime(2026, 10, 31, 23, tzinfo=UTC)
    )
    after = line("ItemPrice", "Principal", "7.00", "2", posted_at=datetime(2026, 11, 1, tzinfo=UTC))

    whole = settlement(before, after, payout="17.00")

    assert accrual(whole, datetime(2026, 11, 1, tzinfo=UTC)) == D("10.00")


def test_an_amount_with_too_many_decimals_was_misread() -> None:
    """E-F07. `95,001` read as 95.001 is no amount of dollars."""
    whole = settlement(line("ItemPrice", "Principal", "95.001", "1"), payout="95.001")

    assert len(not_payable(whole)) == 1


def test_lines_without_an_id_have_names_that_are_the_same_next_time() -> None:
    lines = [line("ItemFees", "Commission", "-1.00", "1")] * 2 + [line("ItemFees", "X", "-1", "1")]

    keys = line_keys(lines)

    assert len(set(keys)) == 3
    assert line_keys(lines) == keys
    assert keys[1] == f"{keys[0]}#1"


def payout(number: int, amount: str, day: int = 10, **told: object) -> Payout:
    made: dict[str, object] = {
        "payout_id": str(number), "amount": D(amount), "currency": "USD",
        "arrives_on": date(2026, 11, day),
    }  # fmt: skip
    return Payout(**{**made, **told})  # type: ignore[arg-type]


def bank(amount: str, day: int = 11, reference: str = "") -> BankLine:
    return BankLine(
        account="1", booked_on=date(2026, 11, day), amount=D(amount), currency="USD",
        reference=reference,
    )  # fmt: skip


def test_payouts_are_matched_by_reference_then_amount_then_as_one_deposit() -> None:
    """E-F12."""
    payouts = [payout(1, "10.00", reference="AB"), payout(2, "10.00"), payout(3, "7.00")]
    payouts += [payout(4, "1.25"), payout(5, "2.50")]

    found = match_bank(payouts, [bank("10.00", reference="x AB y"), bank("10.00"), bank("3.75")])

    assert {
        each.line.amount: [] for each in found.deposits
    } == {D("10.00"): [], D("3.75"): []}  # fmt: skip
    together = next(each for each in found.deposits if each.line.amount == D("3.75"))
    assert [each.payout_id for each in together.payouts] == ["4", "5"]
    assert [each.payout_id for each in found.missing] == ["3"]
    assert found.extra == ()


def test_a_sum_that_fits_in_two_ways_is_left_to_a_person() -> None:
    """E-F12."""
    payouts = [payout(1, "1.00"), payout(2, "2.00"), payout(3, "3.00"), payout(4, "4.00")]

    found = match_bank(payouts, [bank("5.00")])

    assert found.deposits == ()
    assert len(found.missing) == 4


def test_a_bank_file_that_comes_twice_is_one() -> None:
    """E-F27."""
    found = match_bank([payout(1, "5.00"), payout(2, "5.00", day=1)], [bank("5.00"), bank("5.00")])

    assert [each.payouts[0].payout_id for each in found.deposits] == ["1"]
    assert found.extra == ()


def test_a_payout_that_failed_is_not_expected_at_the_bank() -> None:
    """E-F11."""
    found = match_bank([payout(1, "5.00", status="failed")], [bank("5.00")])

    assert (found.deposits, found.missing, len(found.extra)) == ((), (), 1)


def test_a_bank_line_before_or_long_after_a_payout_is_not_its() -> None:
    early = match_bank([payout(1, "5.00", day=10)], [bank("5.00", day=9)])
    late = match_bank([payout(1, "5.00", day=10)], [bank("5.00", day=16)])

    assert early.deposits == late.deposits == ()


def test_every_category_of_the_tables_has_a_role() -> None:
    named = {category for table in CATEGORIES.values() for category in table.values()}

    assert named <= set(ROLE_OF)
    assert "Refund" in REFUNDING


def test_a_settlement_survives_being_written_and_read() -> None:
    whole = read(as_tsv(sold(3).rows))

    again = msgspec.json.decode(
        msgspec.json.Encoder(decimal_format="string").encode(whole), type=Settlement
    )

    assert again == whole


def test_the_words_of_a_real_report_are_known_and_its_part_does_not_add_up(shared: Path) -> None:
    path = shared / "samples" / "amazon" / "settlement" / "flatfile_v1_mws-rs.tsv"
    if not path.is_file():
        found = sorted((shared / "samples" / "amazon").rglob("flatfile_v1_mws-rs.tsv"))
        if not found:
            pytest.skip("no real settlement report beside this clone")
        path = found[0]
    head, *rows = list(csv.DictReader(path.read_text("utf-8").splitlines(), delimiter="\t"))
    lines = []
    for row in rows:
        for kind, name, amount in (
            ("ItemPrice", row["price-type"], row["price-amount"]),
            ("ItemFees", row["item-related-fee-type"], row["item-related-fee-amount"]),
        ):
            if amount:
                at = datetime.fromisoformat(row["posted-date"])
                lines.append(line(kind, name, amount, row["order-id"], posted_at=at))

    classified, new = classify("amazon", lines)
    proof = prove(settlement(*lines, payout=head["total-amount"]))

    assert [each.category for each in classified] == ["principal", "fulfilment_fee"]
    assert new == []
    assert proof.released == D("26.99")
    assert proof.difference == D("16630.13") - D("26.99")
    assert timedelta(days=14) == END - START
