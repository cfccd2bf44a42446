"""The customer of a web order in Tryton: one party per known customer, never two.

Tryton keeps party codes unique by a constraint. So of two orders of one new customer at the same
moment one creation is refused, and its order takes the party that the other one made.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.canonical.order import Address, Customer, Order
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.settings import Settings
from connectors.catalog.tryton.stopped import Refused, Stopped
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import Rejected

ADDRESSES_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Buyer:
    """A party and the address of it that goods and invoice go to, by their ids."""

    party: int
    address: int


async def find_or_create_buyer(tryton: Tryton, order: Order) -> Buyer:
    """Give the buyer of an order; persons without an id, or masked ones, are not kept apart."""
    customer = order.customer
    if customer is None or customer.is_masked or not customer.external_id:
        party = _common_party(tryton.settings)
    else:
        party = await _party(tryton, customer, order.ship_to)
    return Buyer(party, await _address(tryton, party, order.ship_to))


def _common_party(settings: Settings) -> int:
    if settings.party is None:
        words = "The order names no customer. Set the party for such orders in the connection."
        raise Stopped(Rejected("settings.party_missing", "/customer", words))
    return settings.party


async def _party(tryton: Tryton, customer: Customer, ship_to: Address | None) -> int:
    code = f"{tryton.settings.customer_prefix}{customer.external_id}"
    found = await _by_code(tryton, code)
    if found is not None:
        return found
    name = customer.name or (ship_to.name if ship_to else "") or code
    addresses = [["create", [_address_values(tryton.settings, ship_to)]]]
    try:
        values = {"code": code, "name": name, "addresses": addresses}
        created = await tryton.create("party.party", values)
        return int(created["id"])
    except Refused:
        found = await _by_code(tryton, code)
        if found is None:
            raise
        return found


async def _by_code(tryton: Tryton, code: str) -> int | None:
    rows = await tryton.search("party.party", [["code", "=", code]], ("id",), limit=1)
    return int(rows[0]["id"]) if rows else None


async def _address(tryton: Tryton, party: int, ship_to: Address | None) -> int:
    values = _address_values(tryton.settings, ship_to)
    domain: list[object] = [["party", "=", party]]
    if ship_to is not None:
        domain += [[name, "=", values[name]] for name in ("city", "postal_code")]
    fields = ("street_unstructured", "party_name")
    rows = await tryton.search("party.address", domain, fields, limit=ADDRESSES_LIMIT)
    for row in rows:
        if ship_to is None or all((row.get(name) or None) == values[name] for name in fields):
            return int(row["id"])
    created = await tryton.create("party.address", {"party": party, **values})
    return int(created["id"])


def _address_values(settings: Settings, address: Address | None) -> JsonObject:
    if address is None:
        return {}
    street = "\n".join(filter(None, (address.line1, address.line2)))
    values = {
        "party_name": address.name or None,
        "street_unstructured": street or None,
        "postal_code": address.postcode or None,
        "city": address.city or None,
    }
    country = settings.countries.get(address.country)
    return values | ({"country": country} if country else {})
