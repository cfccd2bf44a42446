"""A list of articles that a system exported: CSV with `external_id` and what describes the article.

Columns: `external_id` (needed), `sku`, `gtin` (several: a space between them), `title`. A row that
cannot be used is told with its number; the others are read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from app.identities.store import EXTERNAL_ID_MAX
from app.identities.suggest import Described
from connectors.canonical.product_checks import SPREADSHEET_NUMBER

NEEDED = "external_id"
# Of one field; the reader stops at more.
FIELD_MAX = 10_000


@dataclass(frozen=True, slots=True)
class ArticleList:
    """What a list says of each article, and the rows that cannot be used: number and words."""

    articles: dict[str, Described]
    faults: tuple[tuple[int, str], ...]


class NoArticleList(ValueError):
    """This is no list of articles at all."""


def read_articles(text: str) -> ArticleList:
    """Read a list; the first row names the columns and is number 1. Raises NoArticleList."""
    csv.field_size_limit(FIELD_MAX)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    articles: dict[str, Described] = {}
    faults: list[tuple[int, str]] = []
    try:
        if NEEDED not in (reader.fieldnames or ()):
            raise NoArticleList(f"The first row must name the columns, {NEEDED} among them.")
        for row in reader:
            values = {name: (row.get(name) or "").strip() for name in _COLUMNS}
            words = next(_faults(values, articles), "")
            if words:
                faults.append((reader.line_num, words))
            else:
                articles[values[NEEDED]] = Described(
                    values["sku"], tuple(values["gtin"].split()), values["title"]
                )
    except csv.Error as fault:
        raise NoArticleList(f"Row {reader.line_num} is no CSV: {fault}.") from None
    return ArticleList(articles, tuple(faults))


_COLUMNS = (NEEDED, "sku", "gtin", "title")


def _faults(values: dict[str, str], known: dict[str, Described]) -> Iterator[str]:
    external_id = values[NEEDED]
    if not 1 <= len(external_id) <= EXTERNAL_ID_MAX or not external_id.isprintable():
        yield f"{NEEDED} has 1 to {EXTERNAL_ID_MAX} printable characters."
    if external_id in known:
        yield f"{external_id} is in the list twice."
    for written in (external_id, values["sku"], *values["gtin"].split()):
        if SPREADSHEET_NUMBER.fullmatch(written):
            yield (
                f"{written} is what a spreadsheet made of a number. Export the list again with this"
                " column as text."
            )
