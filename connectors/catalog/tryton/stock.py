"""Stock read from Tryton by polling: on hand per product of what moved since the last look.

Traps of the source: `write_date` is null until a move is first changed, so `create_date` counts too;
both are the moment a transaction began, so a move may appear after later ones: each look goes back
by `OVERLAP`. What is found twice has the same key.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.canonical.event import STOCK_POSITION, Event
from connectors.canonical.stock import StockPosition
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.encoding import encode
from connectors.catalog.tryton.stopped import Stopped
from connectors.sdk import payload
from connectors.sdk.message import JsonObject, Page, PolledRecord, RawMessage, Reading
from connectors.sdk.outcome import AuthorizationLost, RetryLater, Unknown
from connectors.sdk.transport import NotSent

TOPIC = "stock"
# Longer than any transaction of Tryton should take.
OVERLAP = timedelta(seconds=120)
PAGE = 200
UNITS = {"u": "EA", "kg": "KGM", "g": "GRM", "l": "LTR", "m": "MTR"}  # UN/ECE Recommendation 20

_START = datetime(1970, 1, 1, tzinfo=UTC)
_PRODUCT_FIELDS = ("code", "quantity", "default_uom.symbol", "type")
_MOVE_FIELDS = ("product.id", "create_date", "write_date")


async def poll_stock(tryton: Tryton, cursor: JsonObject) -> Page:
    """Give one page; the first look yields every product, later ones what moved since.

    Cursor: {"all_after": id, "since": moment} while everything is read once, then
    {"since": moment, "after": move id, "newest": moment}.
    Raises: NotSent when Tryton cannot be asked; asking again with the same cursor is safe.
    """
    if tryton.settings.storage_location is None:
        words = "Set the storage location whose stock is to be read in the connection."
        raise NotSent("settings.storage_location_missing", words)
    try:
        if not cursor or "all_after" in cursor:
            return await _everything(tryton, cursor)
        return await _moved(tryton, cursor)
    except Stopped as stopped:
        raise _not_polled(stopped) from stopped


def read_stock(message: RawMessage) -> Reading:
    """Turn one polled record into a stock position; pure."""
    record = payload.read_payload(message)
    sku, location = payload.text(record, "/sku"), payload.text(record, "/location")
    as_of = payload.moment(record, "/as_of")
    position = StockPosition(
        sku=sku,
        location=location,
        available=payload.decimal(record, "/quantity"),
        uom=payload.text_or(record, "/uom", "EA"),
        as_of=as_of,
    )
    event = Event(
        type=STOCK_POSITION,
        key=f"stock:{location}/{sku}",
        object_id=f"{location}/{sku}",
        version=_written(as_of),
        label=f"Stock of {sku} at {location}",
        occurred_at=as_of,
        body=position,
    )
    return Reading((event,))


async def _everything(tryton: Tryton, cursor: JsonObject) -> Page:
    after = int(cursor.get("all_after", 0))
    rows = await _products(tryton, [["id", ">", after], ["type", "=", "goods"]])
    # Tryton's own clock: of the first page, so that nothing that moves meanwhile is missed.
    now = tryton.server_time or _START
    since = cursor.get("since", _written(now))
    records = tuple(_record(tryton, row, now) for row in rows if row["code"])
    if len(rows) == PAGE:
        return Page(records, {"all_after": rows[-1]["id"], "since": since}, has_more=True)
    return Page(records, {"since": since, "after": 0, "newest": since})


async def _moved(tryton: Tryton, cursor: JsonObject) -> Page:
    since, after = datetime.fromisoformat(cursor["since"]), int(cursor.get("after", 0))
    moves = await tryton.search(
        "stock.move", [["id", ">", after], _touched(since - OVERLAP)], _MOVE_FIELDS, limit=PAGE
    )
    stamps: dict[int, datetime] = {}
    for move in moves:
        product = move["product"]["id"]
        stamps[product] = max(stamps.get(product, _START), _stamp(move))
    newest = max([datetime.fromisoformat(cursor["newest"]), *stamps.values()])
    rows = await _products(tryton, [["id", "in", sorted(stamps)]]) if stamps else []
    records = tuple(_record(tryton, row, stamps[row["id"]]) for row in rows if row["code"])
    if len(moves) == PAGE:
        onward = {"since": cursor["since"], "after": moves[-1]["id"], "newest": _written(newest)}
        return Page(records, onward, has_more=True)
    return Page(records, {"since": _written(newest), "after": 0, "newest": _written(newest)})


def _touched(since: datetime) -> list[Any]:
    created = [["write_date", "=", None], ["create_date", ">=", since]]
    return ["OR", ["write_date", ">=", since], created]


def _stamp(move: JsonObject) -> datetime:
    stamp: datetime = move["write_date"] or move["create_date"]
    return stamp


async def _products(tryton: Tryton, domain: list[Any]) -> list[JsonObject]:
    context = {"locations": [tryton.settings.storage_location], "with_childs": True}
    return await tryton.search(
        "product.product", domain, _PRODUCT_FIELDS, limit=PAGE, context=context
    )


def _record(tryton: Tryton, row: JsonObject, as_of: datetime) -> PolledRecord:
    symbol = row["default_uom"]["symbol"]
    body = {
        "sku": row["code"],
        "location": tryton.settings.location,
        "quantity": str(row["quantity"]),
        "uom": UNITS.get(symbol, symbol),
        "as_of": _written(as_of),
    }
    key = f"{body['location']}/{body['sku']}@{body['quantity']}@{body['as_of']}"
    return PolledRecord(TOPIC, key, encode(body))


def _written(moment: datetime) -> str:
    """Write a moment so that later ones are later texts."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _not_polled(stopped: Stopped) -> NotSent:
    match stopped.outcome:
        case AuthorizationLost(words=words):
            return NotSent("auth.lost", words)
        case RetryLater(code=code, words=words, after_s=after_s):
            return NotSent(code, words, after_s)
        case Unknown(words=words):
            return NotSent("target.answer_lost", words)
    words = getattr(stopped.outcome, "words", "Tryton did not answer the question.")
    return NotSent("target.refused", words)
