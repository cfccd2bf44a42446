"""Damaged rows of a T-log in words: what is wrong, where it stands, what to do."""

from __future__ import annotations

from connectors.catalog.pos_files.tlog_rows import MAX_FIELD_CHARACTERS, Row
from connectors.sdk.message import HoldRecord

_REASONS = {
    "csv.quote": "has a quote that is not closed",
    "csv.columns": "does not have the number of columns of this file",
    "csv.field_too_long": f"has a field longer than {MAX_FIELD_CHARACTERS:,} characters",
    "text.nul": "has a NUL character",
    "file.encoding": "is not text in the connection's encoding",
    "ticket.number_missing": "has no ticket number",
}


def flaw_of_row(row: Row, at: int, number: str, *, is_before: bool = False) -> HoldRecord:
    """Explain why a ticket is held for one of its rows (`at`, from 0), or for the one before it."""
    place = f"line {row.line} (byte {row.byte})"
    belongs = "before it, which may be its first," if is_before else "of it"
    return HoldRecord(
        row.flaw,
        f"/rows/{at}",
        f"Ticket {number or 'without number'}: the row {belongs} on {place} {_REASONS[row.flaw]}. "
        "A ticket is only used when all its rows are readable; the other tickets are not affected. "
        "Correct the row, then release the ticket.",
    )
