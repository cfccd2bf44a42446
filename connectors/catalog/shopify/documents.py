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

DOCUMENTS = (SET_AVAILABLE, FIND_ITEM, READ_AVAILABLE)
