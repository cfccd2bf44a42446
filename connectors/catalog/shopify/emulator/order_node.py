"""An order of the emulated shop as its Admin API shows it; the shop keeps it as its webhook."""

from __future__ import annotations

from typing import Any


def order_node(order: dict[str, Any]) -> dict[str, Any]:
    """Write an order as the fields that we ask for."""
    status = order["financial_status"]
    return {
        "id": order["admin_graphql_api_id"],
        "name": order["name"],
        "sourceName": order["source_name"],
        "createdAt": _utc(order["created_at"]),
        "processedAt": _utc(order["processed_at"]),
        "updatedAt": _utc(order["updated_at"]),
        "cancelledAt": order["cancelled_at"],
        "test": order["test"],
        "taxesIncluded": order["taxes_included"],
        "dutiesIncluded": order["duties_included"],
        "currencyCode": order["currency"],
        "displayFinancialStatus": status.upper() if status else None,
        "paymentGatewayNames": order["payment_gateway_names"],
        "email": order["email"],
        "totalPriceSet": _bag(order["total_price"]),
        "totalDiscountsSet": _bag(order["total_discounts"]),
        "totalOutstandingSet": _bag(order["total_outstanding"]),
        "totalTipReceivedSet": _bag(order["total_tip_received"]),
        "originalTotalDutiesSet": None,
        "originalTotalAdditionalFeesSet": None,
        "totalCashRoundingAdjustment": {"paymentSet": _bag("0.00")},
        "retailLocation": None,
        "customer": _customer(order["customer"]),
        "shippingAddress": _address(order["shipping_address"]),
        "shippingLines": {"nodes": [_shipping(each) for each in order["shipping_lines"]]},
        "lineItems": {
            "pageInfo": {"hasNextPage": False},
            "nodes": [_line(each) for each in order["line_items"]],
        },
    }


def _utc(told: str) -> str:
    # The Admin API writes UTC with a Z, webhooks the shop's own offset.
    return told.replace("+00:00", "Z")


def _bag(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount}}


def _customer(person: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Customer/{person['id']}",
        "firstName": person["first_name"],
        "lastName": person["last_name"],
        "defaultEmailAddress": {"emailAddress": person["email"]},
    }


def _address(address: dict[str, Any]) -> dict[str, Any]:
    same = {
        name: address[name] for name in ("name", "address1", "address2", "city", "zip", "phone")
    }
    return same | {
        "provinceCode": address["province_code"],
        "countryCodeV2": address["country_code"],
    }


def _shipping(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ShippingLine/{line['id']}",
        "title": line["title"],
        "isRemoved": line["is_removed"],
        "originalPriceSet": _bag(line["price"]),
        **_parts(line),
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{line['id']}",
        "sku": line["sku"],
        "name": line["name"],
        "title": line["title"],
        "quantity": line["quantity"],
        "originalUnitPriceSet": _bag(line["price"]),
        "duties": [],
        **_parts(line),
    }


def _parts(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "discountAllocations": [
            {"allocatedAmountSet": _bag(each["amount"])} for each in line["discount_allocations"]
        ],
        "taxLines": [
            {"title": tax["title"], "rate": tax["rate"], "priceSet": _bag(tax["price"])}
            for tax in line["tax_lines"]
        ],
    }
