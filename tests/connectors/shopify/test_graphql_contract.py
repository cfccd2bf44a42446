"""Our operations against Shopify's own schema, and the emulator against both."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_client_schema, parse, validate
from graphql import graphql_sync as execute
from graphql.execution.values import get_variable_values
from jsonschema_rs import Draft202012Validator

from connectors.catalog.shopify.documents import DOCUMENTS, SET_AVAILABLE, Document
from connectors.catalog.shopify.emulator import ShopState
from connectors.catalog.shopify.emulator.graphql import answer_graphql
from connectors.catalog.shopify.emulator.orders import place_order
from connectors.catalog.shopify.emulator.state import LOCATION_GID
from connectors.registry import manifest

ROOT = Path(__file__).parents[3]
CONTRACTS = ROOT / "connectors/catalog/shopify/contracts"
FIXTURES = ROOT / "connectors/catalog/shopify/fixtures"
VENDOR = ROOT.parent / "shared/vendor/shopify"
ITEM = "gid://shopify/InventoryItem/8001"

needs_vendor = pytest.mark.skipif(
    not VENDOR.exists(), reason="Shopify's published schema is not on this machine"
)

VARIABLES: dict[str, dict[str, Any]] = {
    "SetAvailable": {
        "key": "effect-1:25",
        "input": {
            "name": "available",
            "reason": "correction",
            "referenceDocumentUri": "stock-update://delivery/effect-1",
            "quantities": [
                {
                    "inventoryItemId": ITEM,
                    "locationId": LOCATION_GID,
                    "quantity": 18,
                    "changeFromQuantity": 25,
                }
            ],
        },
    },
    "FindItem": {"query": 'sku:"MM-0001"', "location": LOCATION_GID},
    "ReadAvailable": {"item": ITEM, "location": LOCATION_GID},
    "ReadOrder": {"id": "gid://shopify/Order/5000000001"},
    "FindOrder": {"query": 'name:"#1001"'},
    "ListOrders": {
        "query": "updated_at:>='2026-01-01T00:00:00Z' updated_at:<'2099-01-01T00:00:00Z'",
        "after": None,
    },
}
FILES = {
    "SetAvailable": "set_available",
    "FindItem": "find_item",
    "ReadAvailable": "read_available",
    "ReadOrder": "read_order",
    "FindOrder": "find_order",
    "ListOrders": "list_orders",
}


@cache
def vendor_schema(version: str) -> GraphQLSchema:
    packed = (VENDOR / f"admin_{version}.introspection.json.gz").read_bytes()
    told = json.loads(gzip.decompress(packed))
    # The vendor's schema breaks a rule of its own (deprecated interface fields).
    return build_client_schema(told.get("data", told), assume_valid=True)


def request_of(document: Document) -> dict[str, Any]:
    return {
        "query": document.text,
        "operationName": document.name,
        "variables": VARIABLES[document.name],
    }


def shop_with_an_order() -> ShopState:
    state = ShopState(seed=3)
    place_order(state)
    return state


def contract(file: str, part: str) -> Draft202012Validator:
    schema = json.loads((CONTRACTS / f"{file}.schema.json").read_text())
    return Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]})


@needs_vendor
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_document_and_its_variables_are_valid_in_the_vendors_schema(
    document: Document,
) -> None:
    schema = vendor_schema("2026-07")
    parsed = parse(document.text)
    operation = parsed.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)

    faults = validate(schema, parsed)
    coerced = get_variable_values(
        schema, operation.variable_definitions or (), VARIABLES[document.name]
    )

    assert faults == []
    assert not isinstance(coerced, list)


@needs_vendor
def test_mutation_of_today_does_not_fit_the_version_before_compare_and_set() -> None:
    faults = validate(vendor_schema("2025-10"), parse(SET_AVAILABLE.text))

    assert [fault.message for fault in faults] == ["Unknown directive '@idempotent'."]


@needs_vendor
def test_every_mutation_that_needs_an_idempotency_key_gets_one() -> None:
    required = json.loads((VENDOR / "idempotency_required_2026-04.json").read_text())["mutations"]

    for document in DOCUMENTS:
        for mutation in required:
            if f"{mutation}(" in document.text:
                assert "@idempotent(key: $key)" in document.text


@needs_vendor
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_emulator_answers_only_what_the_vendors_schema_allows(document: Document) -> None:
    data = answer_graphql(shop_with_an_order(), request_of(document))["data"]

    result = execute(
        vendor_schema("2026-07"),
        document.text,
        root_value=data,
        variable_values=VARIABLES[document.name],
    )

    assert result.errors is None
    assert result.data == data


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_our_requests_and_the_emulators_answers_keep_our_own_contract(document: Document) -> None:
    request = request_of(document)

    answer = answer_graphql(shop_with_an_order(), request)

    assert contract(FILES[document.name], "request").is_valid(request)
    assert contract(FILES[document.name], "answer").is_valid(answer)


@pytest.mark.parametrize(
    "change",
    [{"changeFromQuantity": "25"}, {"quantity": 1.5}, {"inventoryItemId": "8001"}, {"extra": 1}],
)
def test_request_against_the_contract_is_refused_by_the_emulator(change: dict[str, Any]) -> None:
    request = json.loads(json.dumps(request_of(SET_AVAILABLE)))
    request["variables"]["input"]["quantities"][0] |= change
    state = ShopState()

    answer = answer_graphql(state, request)

    assert "errors" in answer
    assert state.log == []


def test_quantity_without_change_from_is_refused_as_shopify_does() -> None:
    request = json.loads(json.dumps(request_of(SET_AVAILABLE)))
    del request["variables"]["input"]["quantities"][0]["changeFromQuantity"]

    assert "errors" in answer_graphql(ShopState(), request)


@pytest.mark.parametrize(
    ("file", "fixture"),
    [
        ("order", "order_placed"),
        ("order", "order_at_till"),
        ("refund", "refund"),
        ("fulfilment", "fulfilment"),
    ],
)
def test_our_fixtures_keep_our_own_contract(file: str, fixture: str) -> None:
    schema = json.loads((CONTRACTS / f"{file}.schema.json").read_text())

    Draft202012Validator(schema).validate(json.loads((FIXTURES / f"{fixture}.json").read_text()))


def test_orders_of_the_emulator_keep_our_own_contract() -> None:
    schema = json.loads((CONTRACTS / "order.schema.json").read_text())
    state = ShopState()

    for _ in range(20):
        Draft202012Validator(schema).validate(place_order(state))


def test_manifest_names_the_version_that_the_documents_are_written_for() -> None:
    (version,) = manifest("shopify").vendor_versions

    assert version.name == "2026-07"
    assert version.sunset == "2027-07-01"
