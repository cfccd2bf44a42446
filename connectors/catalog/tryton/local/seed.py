"""Fills an empty Tryton with a shop: company, books, taxes, articles, stock, till, integration user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.catalog.tryton.local.books import (
    create_category,
    create_chart,
    create_company,
    create_fiscal_year,
    create_tax,
)
from connectors.catalog.tryton.local.catalogue import Article
from connectors.catalog.tryton.local.rpc import Rpc

UNITS = {"EA": "uom_unit", "KGM": "uom_kilogram"}
# What the integration user may do: sell, cancel, post till sales, move stock, keep parties.
GROUPS = (
    ("sale", "group_sale"),
    ("sale", "group_sale_admin"),
    ("sale_point", "group_sale_point"),
    ("sale_point", "group_sale_point_posting"),
    ("stock", "group_stock"),
    ("party", "group_party_admin"),
    ("account", "group_account"),
)


@dataclass(frozen=True, slots=True)
class Shop:
    """What is to be seeded: `tax_rates` as shares (0.20 is 20 %), books for `today`'s year +-1."""

    articles: tuple[Article, ...]
    today: date
    currency: str = "USD"
    tax_rates: tuple[Decimal, ...] = (Decimal("0.20"),)


@dataclass(frozen=True, slots=True)
class Seeded:
    """The connector's settings for this Tryton, and the key of its integration user (a secret)."""

    settings: dict[str, Any]
    key: str


def seed(rpc: Rpc, shop: Shop) -> Seeded:
    """Seed everything; not repeatable, a half seeded database is made anew."""
    company = create_company(rpc, shop.currency)
    accounts = create_chart(rpc, company)
    for year in (shop.today.year - 1, shop.today.year, shop.today.year + 1):
        create_fiscal_year(rpc, company, year)
    taxes = {
        rate: create_tax(rpc, accounts, f"Tax {rate * 100:f} %", rate) for rate in shop.tax_rates
    }
    cent = create_tax(rpc, accounts, "Tax difference", None)
    storage, customers = (
        rpc.data_id("stock", f"location_{name}") for name in ("storage", "customer")
    )
    products = _articles(rpc, shop, accounts, taxes[shop.tax_rates[0]])
    unmapped, refunds = _service_products(rpc, accounts, taxes[shop.tax_rates[0]])
    _stock(rpc, storage, shop.articles, products)
    point = _till(rpc, company, storage, customers)
    methods = _payment_methods(rpc, accounts)
    term = _payment_term(rpc)
    addresses = [["create", [{"city": "-"}]]]
    walk_in, web = rpc.create(
        "party.party",
        {"name": "Walk-in", "code": "WALK-IN", "addresses": addresses},
        {"name": "Web customers", "code": "WEB", "addresses": addresses},
    )
    settings = {
        "database": "tryton",
        "company": company,
        "currency": shop.currency,
        "location": "main",
        "storage_location": storage,
        "pos": point,
        "payment_methods": methods,
        "payment_term": term,
        "taxes": {f"{rate.normalize():f}": tax for rate, tax in taxes.items()},
        "tax_difference": cent,
        "party": web,
        "walk_in": walk_in,
        "unmapped_product": unmapped,
        "refund_product": refunds,
    }
    return Seeded(settings, _integration_key(rpc, company))


def _articles(rpc: Rpc, shop: Shop, accounts: dict[str, int], tax: int) -> dict[str, int]:
    category = create_category(rpc, "Goods", accounts, "revenue", tax)
    units = {code: rpc.data_id("product", name) for code, name in UNITS.items()}
    # Scales weigh to the gram, Tryton's kilogram has two decimals as it comes.
    rpc.write("product.uom", [units["KGM"]], {"digits": 3, "rounding": 0.001})
    templates = [
        {
            **_sellable("goods", article.name, units[article.unit], category, article.price),
            "code": article.sku,
            "products": [["create", [{}]]],
        }
        for article in shop.articles
    ]
    rpc.create("product.template", *templates)
    rows = rpc.call("model.product.product.search_read", [], 0, None, None, ["code"])
    return {row["code"]: row["id"] for row in rows if row["code"]}


def _service_products(rpc: Rpc, accounts: dict[str, int], tax: int) -> tuple[int, int]:
    unit = rpc.data_id("product", UNITS["EA"])
    # With a tax of its own, else Tryton could not post the tax of a ticket of unknown items only.
    sold = create_category(rpc, "Items unknown to the ERP", accounts, "revenue", tax)
    refunded = create_category(rpc, "Refunds to cards", accounts, "refunds")
    codes = {"UNMAPPED": sold, "CARD-REFUND": refunded}
    titles = {"UNMAPPED": "Item unknown to the ERP", "CARD-REFUND": "Paid back to card"}
    templates = [
        {
            **_sellable("service", titles[code], unit, category, Decimal(0)),
            "code": code,
            "products": [["create", [{}]]],
        }
        for code, category in codes.items()
    ]
    rpc.create("product.template", *templates)
    first, second = (rpc.find("product.product", ["code", "=", code]) for code in codes)
    return first, second


def _sellable(kind: str, name: str, unit: int, category: int, price: Decimal) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "default_uom": unit,
        "salable": True,
        "sale_uom": unit,
        "account_category": category,
        "list_price": price,
    }


def _stock(rpc: Rpc, storage: int, articles: tuple[Article, ...], products: dict[str, int]) -> None:
    lines = [
        {"product": products[article.sku], "quantity": float(article.stock)} for article in articles
    ]
    (inventory,) = rpc.create(
        "stock.inventory", {"location": storage, "lines": [["create", lines]]}
    )
    rpc.call("model.stock.inventory.confirm", [inventory])


def _till(rpc: Rpc, company: int, storage: int, customers: int) -> int:
    sequence_type = rpc.data_id("sale_point", "sequence_type_sale")
    (sequence,) = rpc.create(
        "ir.sequence.strict",
        {"name": "Tills", "sequence_type": sequence_type, "company": company},
    )
    return rpc.create(
        "sale.point",
        {
            "name": "Tills",
            "company": company,
            "sequence": sequence,
            "journal": rpc.find("account.journal", ["type", "=", "revenue"]),
            "storage_location": storage,
            "return_location": storage,
            "customer_location": customers,
        },
    )[0]


def _payment_methods(rpc: Rpc, accounts: dict[str, int]) -> dict[str, int]:
    cash, card, other = rpc.create(
        "sale.point.payment.method",
        {"name": "Cash", "account": accounts["cash"], "cash": True},
        {"name": "Card", "account": accounts["card"]},
        {"name": "Other", "account": accounts["other"]},
    )
    return {"cash": cash, "card": card, "other": other}


def _payment_term(rpc: Rpc) -> int:
    lines = [["create", [{"type": "remainder"}]]]
    return rpc.create("account.invoice.payment_term", {"name": "Paid in the shop", "lines": lines})[
        0
    ]


def _integration_key(rpc: Rpc, company: int) -> str:
    groups = [rpc.data_id(module, name) for module, name in GROUPS]
    values = {"companies": [["add", [company]]], "company": company, "groups": [["add", groups]]}
    (user,) = rpc.create("res.user", {"name": "Integration", "login": "integration", **values})
    (application,) = rpc.create("res.user.application", {"user": user, "application": "rest"})
    rows = rpc.call("model.res.user.application.read", [application], ["key"])
    return str(rows[0]["key"])
