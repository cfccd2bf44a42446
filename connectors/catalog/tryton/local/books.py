"""The books of the seeded shop: company, chart of accounts, fiscal years, taxes, categories."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connectors.catalog.tryton.local.rpc import Rpc

COMPANY = "Demo Shop"
CASH_ACCOUNT = "1.1.1"
TAX_ACCOUNT = "6.3.6"
# The default receivable and payable accounts are those that are kept per party.
KINDS_OF_ACCOUNT: dict[str, list[list[Any]]] = {
    "receivable": [["party_required", "=", True]],
    "payable": [["party_required", "=", True]],
    "revenue": [["closed", "!=", True]],
    "expense": [["closed", "!=", True]],
}


def create_company(rpc: Rpc, currency: str) -> int:
    """Make the company in its currency and work in it from here on; gives its id."""
    (currency_id,) = rpc.create(
        "currency.currency",
        {
            "name": currency,
            "symbol": currency,
            "code": currency,
            "rounding": Decimal("0.01"),
            "digits": 2,
        },
    )
    (party,) = rpc.create("party.party", {"name": COMPANY})
    (company,) = rpc.create("company.company", {"party": party, "currency": currency_id})
    values = {"companies": [["add", [company]]], "company": company}
    rpc.write("res.user", [rpc.user_id], values)
    rpc.context = {"company": company}
    return company


def create_chart(rpc: Rpc, company: int) -> dict[str, int]:
    """Make Tryton's minimal chart of accounts; gives the accounts that are used, by kind."""
    wizard = "wizard.account.create_chart"
    session = rpc.call(f"{wizard}.create")[0]
    template = rpc.data_id("account", "account_template_root_en")
    form: dict[str, Any] = {"account": {"company": company, "account_template": template}}
    rpc.call(f"{wizard}.execute", session, form, "create_account")
    found = {
        kind: rpc.find("account.account", [f"type.{kind}", "=", True], *having)
        for kind, having in KINDS_OF_ACCOUNT.items()
    }
    form["properties"] = {
        "company": company,
        "account_receivable": found["receivable"],
        "account_payable": found["payable"],
        "category_account_expense": found["expense"],
        "category_account_revenue": found["revenue"],
    }
    rpc.call(f"{wizard}.execute", session, form, "create_properties")
    rpc.call(f"{wizard}.delete", session)
    found["cash"] = rpc.find("account.account", ["code", "=", CASH_ACCOUNT])
    found["tax"] = rpc.find("account.account", ["code", "=", TAX_ACCOUNT])
    found["card"] = _copied(rpc, found["cash"], "Card", "1.1.1.1")
    found["other"] = _copied(rpc, found["cash"], "Other tenders", "1.1.1.2")
    found["refunds"] = _copied(rpc, found["revenue"], "Refunds to cards", "4.9")
    return found


def create_fiscal_year(rpc: Rpc, company: int, year: int) -> None:
    """Open one calendar year with its periods and numberings."""
    sequences = [
        {"name": f"{kind} {year}", "sequence_type": sequence_type, "company": company}
        for kind, sequence_type in (
            ("Move", rpc.data_id("account", "sequence_type_account_move")),
            ("Invoice", rpc.data_id("account_invoice", "sequence_type_account_invoice")),
        )
    ]
    move, invoice = rpc.create("ir.sequence.strict", *sequences)
    kinds = ("out_invoice", "in_invoice", "out_credit_note", "in_credit_note")
    (fiscal_year,) = rpc.create(
        "account.fiscalyear",
        {
            "name": str(year),
            "company": company,
            "start_date": _day(year, 1, 1),
            "end_date": _day(year, 12, 31),
            "move_sequence": move,
            "invoice_sequences": [
                [
                    "create",
                    [{"company": company, **{f"{kind}_sequence": invoice for kind in kinds}}],
                ]
            ],
        },
    )
    rpc.call("model.account.fiscalyear.create_period", [fiscal_year])


def create_tax(rpc: Rpc, accounts: dict[str, int], name: str, rate: Decimal | None) -> int:
    """Make a tax of a rate, or without one the fixed tax of one minor unit; gives its id."""
    kind: dict[str, Any] = (
        {"type": "fixed", "amount": Decimal("0.01")}
        if rate is None
        else {"type": "percentage", "rate": rate}
    )
    posted = {"invoice_account": accounts["tax"], "credit_note_account": accounts["tax"]}
    return rpc.create("account.tax", {"name": name, "description": name, **kind, **posted})[0]


def create_category(
    rpc: Rpc, name: str, accounts: dict[str, int], revenue: str, *taxes: int
) -> int:
    """Make an accounting category of products; gives its id."""
    return rpc.create(
        "product.category",
        {
            "name": name,
            "accounting": True,
            "account_expense": accounts["expense"],
            "account_revenue": accounts[revenue],
            "customer_taxes": [["add", list(taxes)]],
        },
    )[0]


def _copied(rpc: Rpc, account: int, name: str, code: str) -> int:
    values = {"name": name, "code": code}
    return int(rpc.call("model.account.account.copy", [account], values)[0])


def _day(year: int, month: int, day: int) -> dict[str, Any]:
    return {"__class__": "date", "year": year, "month": month, "day": day}
