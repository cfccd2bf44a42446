"""The columns of a T-log CSV: what they are called and where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.sdk.message import HoldRecord, JsonObject

# Role -> column name, in the order of the file. Source: UCI Online Retail (Chen 2015).
UCI_COLUMNS = {
    "invoice": "InvoiceNo",
    "code": "StockCode",
    "title": "Description",
    "quantity": "Quantity",
    "time": "InvoiceDate",
    "unit_price": "UnitPrice",
    "customer": "CustomerID",
    "country": "Country",
}
_OPTIONAL = frozenset({"title", "customer", "country"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Column names in file order, the place of each role, and how fields are set apart."""

    header: tuple[str, ...]
    places: Mapping[str, int]
    delimiter: str
    time_format: str

    def text(self, fields: Sequence[str], role: str) -> str:
        """Give a field by its role, trimmed; empty when this file has no such column."""
        place = self.places.get(role)
        return "" if place is None else fields[place].strip()

    def column(self, role: str) -> str:
        """Give the file's own name of a role's column."""
        return self.header[self.places[role]] if role in self.places else role


def layout_of(settings: JsonObject) -> Layout:
    """Read the layout: `columns` renames roles, `header` lists all columns in file order.

    Without `header` the file has exactly the columns of the roles, in UCI's order.
    Raises: HoldRecord `csv.layout` when a needed role has no column.
    """
    renamed: Mapping[str, str] = settings.get("columns") or {}
    names = {role: str(renamed.get(role, name)) for role, name in UCI_COLUMNS.items()}
    header = tuple(str(name) for name in settings.get("header") or names.values())
    places = {role: header.index(name) for role, name in names.items() if name in header}
    missing = sorted(set(UCI_COLUMNS) - _OPTIONAL - set(places))
    delimiter = str(settings.get("delimiter") or ",")
    if missing or len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise HoldRecord(
            "csv.layout",
            "/settings/columns",
            f"The connection does not say which columns hold: {', '.join(missing) or 'delimiter'}. "
            "Name them in the connection's settings.",
        )
    return Layout(header, places, delimiter, str(settings.get("time_format") or ""))
