"""Set what Shopify may sell of a SKU, but only over the quantity that we know it shows."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from connectors.canonical.stock import StockPosition
from connectors.catalog.shopify.admin_api import ask
from connectors.catalog.shopify.documents import SET_AVAILABLE
from connectors.catalog.shopify.mapping_out import Wanted, read_wanted, set_variables
from connectors.catalog.shopify.stock_level import Level, read_level
from connectors.sdk.connector import Dispatch
from connectors.sdk.outcome import Delivered, Duplicate, Outcome, Rejected, RetryLater
from connectors.sdk.transport import Transport

# The order webhook of a sale made meanwhile usually arrives within this time, in seconds.
SALE_WAIT_S = 5.0
BUSY_WAIT_S = 2.0

# The quantity moved under us, now or when this key was first used: look again, then decide.
_STALE_CODES = {
    "CHANGE_FROM_QUANTITY_STALE",
    "COMPARE_QUANTITY_STALE",
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
}
_BUSY_CODES = {"IDEMPOTENCY_CONCURRENT_REQUEST"}

# Code and field of ours, and the way out, for each refusal that no repeat can change.
_REFUSALS = {
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": (
        "idempotency.key_reused", "", "Shopify knows this update with other values. Send it anew.",
    ),
    "INVALID_INVENTORY_ITEM": (
        "sku.unknown", "/sku", "Shopify does not know this article. Correct its inventory item.",
    ),
    "INVALID_LOCATION": (
        "location.unknown", "/location", "Shopify does not know this location. Correct it.",
    ),
    "ITEM_NOT_STOCKED_AT_LOCATION": (
        "stock.not_stocked", "/location", "Shopify does not stock this article there. Stock it.",
    ),
    "NON_MUTABLE_INVENTORY_ITEM": (
        "stock.not_settable", "/sku", "Shopify counts this article by its parts. Set the parts.",
    ),
    "INVALID_QUANTITY_NEGATIVE": (
        "quantity.range", "/available", "Shopify takes no quantity below zero. Correct the stock.",
    ),
    "INVALID_QUANTITY_TOO_HIGH": (
        "quantity.range", "/available", "The quantity is too high for Shopify. Correct the stock.",
    ),
    "INVALID_QUANTITY_TOO_LOW": (
        "quantity.range", "/available", "The quantity is too low for Shopify. Correct the stock.",
    ),
}  # fmt: skip
_UNLISTED = ("target.refused", "", "Shopify refused the update. The connector needs an update.")


@dataclass(frozen=True, slots=True)
class _Stale:
    """Shopify shows another quantity than the one we started from."""


class _UserError(msgspec.Struct):
    code: str | None = None


class _Group(msgspec.Struct):
    id: str


class _Payload(msgspec.Struct, rename="camel"):
    user_errors: list[_UserError]
    inventory_adjustment_group: _Group | None = None


class _Set(msgspec.Struct, rename="camel"):
    inventory_set_quantities: _Payload


async def set_stock(dispatch: Dispatch, transport: Transport) -> Outcome:
    """Bring one stock position to Shopify by compare-and-set; at most four calls.

    Rules:  never over a quantity we have not seen. A fall goes out at once. A rise over a sale that
            we may not have heard of waits once for its order: a newer position then replaces this
            one, and the unit sold is not offered again.
    Repeat: the same key from the same quantity has one effect; a repeat finds its own work done.
    """
    position = dispatch.event.body
    if not isinstance(position, StockPosition):
        words = f"{dispatch.event.type} carries no stock. Remove it from this flow."
        return Rejected("event.type_unknown", "/type", words)
    wanted = read_wanted(position, dispatch.settings)
    if isinstance(wanted, Rejected):
        return wanted
    if wanted.item_id is not None and wanted.expected is not None:
        first = await _set(wanted, wanted.item_id, wanted.expected, dispatch, transport)
        if not isinstance(first, _Stale):
            return first
    return await _set_over_current(wanted, dispatch, transport)


async def _set_over_current(wanted: Wanted, dispatch: Dispatch, transport: Transport) -> Outcome:
    level = await read_level(wanted, transport)
    if not isinstance(level, Level):
        return level
    if level.available == wanted.quantity:
        return Duplicate(level.item_id, 200)
    if dispatch.attempt == 1 and _raises_over_sale(wanted, level.available):
        words = f"Shopify has sold {wanted.sku} meanwhile. Waiting for that order before raising."
        return RetryLater("stock.sold_meanwhile", words, SALE_WAIT_S, 200)
    second = await _set(wanted, level.item_id, level.available, dispatch, transport)
    if isinstance(second, _Stale):
        words = f"The stock of {wanted.sku} keeps moving in Shopify. Trying again shortly."
        return RetryLater("stock.changed_meanwhile", words, BUSY_WAIT_S, 200)
    return second


def _raises_over_sale(wanted: Wanted, available: int) -> bool:
    return wanted.expected is not None and available < min(wanted.expected, wanted.quantity)


async def _set(
    wanted: Wanted, item_id: str, change_from: int, dispatch: Dispatch, transport: Transport
) -> Outcome | _Stale:
    variables = set_variables(wanted, item_id, change_from, dispatch.effect_key)
    answer = await ask(transport, SET_AVAILABLE, variables, _Set)
    if not isinstance(answer, _Set):
        return answer
    done = answer.inventory_set_quantities
    if done.user_errors:
        return _refused({error.code or "" for error in done.user_errors})
    return Delivered(
        done.inventory_adjustment_group.id if done.inventory_adjustment_group else "", 200
    )


def _refused(codes: set[str]) -> Outcome | _Stale:
    final = sorted(codes - _STALE_CODES - _BUSY_CODES)
    if final:
        code, pointer, words = _REFUSALS.get(final[0], _UNLISTED)
        return Rejected(code, pointer, words, 200)
    if codes & _BUSY_CODES:
        words = "Shopify is still working on the same update."
        return RetryLater("target.busy", words, BUSY_WAIT_S, 200)
    return _Stale()
