"""The GraphQL operations we use, for the Admin API version they are written for."""

from __future__ import annotations

from dataclasses import dataclass

API_VERSION = "2026-07"
PATH = f"/admin/api/{API_VERSION}/graphql.json"


@dataclass(frozen=True, slots=True)
class Document:
    """One operation: its name, its text and what it takes from the shop's bucket, in points."""

    name: str
    text: str
    cost: float


# Costs: 10 for a mutation, 1 for an object, 2 and up for a connection.
# https://shopify.dev/docs/api/usage/limits#graphql-admin-api-rate-limits, read 2026-11
SET_AVAILABLE = Document(
    "SetAvailable",
    """
mutation SetAvailable($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { code field message }
  }
}
""",
    10.0,
)

FIND_ITEM = Document(
    "FindItem",
    """
query FindItem($query: String!, $location: ID!) {
  productVariants(first: 10, query: $query) {
    nodes {
      sku
      inventoryItem {
        id
        inventoryLevel(locationId: $location) {
          quantities(names: ["available"]) { name quantity }
        }
      }
    }
  }
}
""",
    12.0,
)

READ_AVAILABLE = Document(
    "ReadAvailable",
    """
query ReadAvailable($item: ID!, $location: ID!) {
  inventoryItem(id: $item) {
    id
    inventoryLevel(locationId: $location) {
      quantities(names: ["available"]) { name quantity }
    }
  }
}
""",
    3.0,
)

LINES_MAX = 100
_ORDER = """
fragment Whole on Order {
  id name sourceName createdAt processedAt updatedAt cancelledAt
  test taxesIncluded dutiesIncluded currencyCode displayFinancialStatus paymentGatewayNames email
  totalPriceSet { ...Shop } totalDiscountsSet { ...Shop } totalOutstandingSet { ...Shop }
  totalTipReceivedSet { ...Shop } originalTotalDutiesSet { ...Shop }
  originalTotalAdditionalFeesSet { ...Shop }
  totalCashRoundingAdjustment { paymentSet { ...Shop } }
  retailLocation { id }
  customer { id firstName lastName defaultEmailAddress { emailAddress } }
  shippingAddress { name address1 address2 city provinceCode zip countryCodeV2 phone }
  shippingLines(first: 20) {
    nodes { id title isRemoved originalPriceSet { ...Shop } ...ShippingParts }
  }
  lineItems(first: 100) {
    pageInfo { hasNextPage }
    nodes {
      id sku name title quantity originalUnitPriceSet { ...Shop }
      discountAllocations { allocatedAmountSet { ...Shop } }
      taxLines { ...TaxParts }
      duties { price { ...Shop } taxLines { ...TaxParts } }
    }
  }
}
fragment ShippingParts on ShippingLine {
  discountAllocations { allocatedAmountSet { ...Shop } }
  taxLines { ...TaxParts }
}
fragment TaxParts on TaxLine { title rate priceSet { ...Shop } }
fragment Shop on MoneyBag { shopMoney { amount } }
"""

# Charged for all that it may return; what it really cost is told by its answer.
READ_ORDER = Document(
    "ReadOrder",
    f"query ReadOrder($id: ID!) {{ order(id: $id) {{ ...Whole }} }}{_ORDER}",
    150.0,
)

FIND_ORDER = Document(
    "FindOrder",
    f"""query FindOrder($query: String!) {{
  orders(first: 2, query: $query) {{ nodes {{ ...Whole }} }}
}}{_ORDER}""",
    300.0,
)

# Heads only, so that a page is cheap; what turns out to be missing is read one by one.
LIST_ORDERS = Document(
    "ListOrders",
    """
query ListOrders($query: String!, $after: String) {
  orders(first: 100, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { id name createdAt processedAt updatedAt currencyCode totalPriceSet { ...Shop } }
  }
}
fragment Shop on MoneyBag { shopMoney { amount } }
""",
    302.0,
)

DOCUMENTS = (SET_AVAILABLE, FIND_ITEM, READ_AVAILABLE, READ_ORDER, FIND_ORDER, LIST_ORDERS)
