"""The receipt of a replay, record by record: what was promised, what happened, and the differences."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence

from app.exceptions.replay.read import ItemFilter, ReplayItem, list_items
from app.exceptions.replay.totals import plain
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.ids import Id

PAGE = 2_000
# What a spreadsheet would take for a formula; a name may come from anywhere.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    *("number", "label", "amount", "currency", "promised", "promised_words", "effects", "state"),
    *("happened", "happened_words", "is_as_promised", "message_id", "delivery_id"),
    "new_delivery_id",
)


async def all_items(
    scope: TenantScope, database: Database, replay_id: Id
) -> AsyncIterator[Sequence[ReplayItem]]:
    """Give all items page by page, each page in a short transaction of its own."""
    after = 0
    while page := await list_items(scope, database, replay_id, ItemFilter(after=after), PAGE):
        yield page
        after = page[-1].number


async def receipt_csv(scope: TenantScope, database: Database, replay_id: Id) -> AsyncIterator[str]:
    """Write the receipt as CSV (RFC 4180), a page at a time; nothing in it is a formula."""
    yield _lines([COLUMNS])
    async for page in all_items(scope, database, replay_id):
        yield _lines([_row(item) for item in page])


def is_as_promised(item: ReplayItem) -> bool | None:
    """Say whether it happened as promised; None for what is not done, or was left out."""
    return item.happened == item.promised if item.state == "done" else None


def _row(item: ReplayItem) -> tuple[str, ...]:
    as_promised = {True: "yes", False: "no", None: ""}[is_as_promised(item)]
    return (
        str(item.number),
        _harmless(item.label),
        plain(item.amount) if item.amount is not None else "",
        item.currency or "",
        item.promised,
        item.promised_words,
        _harmless("; ".join(item.effects)),
        item.state,
        item.happened,
        _harmless(item.happened_words),
        as_promised,
        str(item.message_id),
        str(item.delivery_id or ""),
        str(item.new_delivery_id or ""),
    )


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(rows: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
