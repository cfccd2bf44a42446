"""Rows gathered into tickets: a damaged row holds its own, and none passes incomplete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.catalog.pos_files.tlog_rows import Row

MAX_TICKET_BYTES = 4 * 1_048_576
_MAX_PENDING_ROWS = 1_000  # damaged rows in a row, before they are no longer one ticket's affair


@dataclass(slots=True)
class Ticket:
    """Consecutive rows of one number. `doubt` is a damaged row before it that may be its first."""

    number: str
    rows: list[Row] = field(default_factory=list)
    doubt: Row | None = None
    size_bytes: int = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows in; beyond the largest ticket only their size is kept."""
        for row in rows:
            self.size_bytes += len(row.raw)
            if self.size_bytes <= MAX_TICKET_BYTES:
                self.rows.append(row)

    @property
    def is_too_large(self) -> bool:
        """Say whether rows were left out because the ticket is larger than any real one."""
        return self.size_bytes > MAX_TICKET_BYTES


def tickets(rows: Iterable[Row]) -> Iterator[Ticket]:
    """Gather rows into tickets, in file order.

    A damaged row waits for the next sound one. Between two rows of one ticket it belongs to that
    ticket. Else its own number decides; without one it puts both neighbours in doubt.
    """
    current: Ticket | None = None
    pending: list[Row] = []
    for row in rows:
        if row.flaw and len(pending) < _MAX_PENDING_ROWS:
            pending.append(row)
            continue
        if current is None or row.number != current.number or row.flaw:
            *done, opened = _settled(current, pending, row.number or "")
            yield from done
            current, pending = opened, []
        current.add([*pending, row])
        pending = []
    yield from (ticket for ticket in _settled(current, pending, None) if ticket.size_bytes)


def _settled(current: Ticket | None, pending: list[Row], next_number: str | None) -> list[Ticket]:
    """Share the waiting rows out; the last ticket given is the one that the next row opens."""
    groups = [current] if current is not None else []
    own = [row.number == current.number for row in pending] if current is not None else []
    inside = len(own) - own[::-1].index(True) if True in own else 0
    if current is not None:
        current.add(pending[:inside])
    rest = pending[inside:]
    first_of_next = next(
        (at for at, row in enumerate(rest) if row.number == next_number), len(rest)
    )
    opening = rest[first_of_next:] if next_number is not None else []
    doubt = _share(groups, rest[: len(rest) - len(opening)])
    if next_number is not None or not groups:
        groups.append(Ticket(next_number or "", doubt=doubt))
        groups[-1].add(opening)
    return groups


def _share(groups: list[Ticket], rows: list[Row]) -> Row | None:
    """Give rows between two tickets their place; the last one in doubt is given."""
    doubt: Row | None = None
    for row in rows:
        if row.number is None:
            doubt = row
        if groups and row.number in {None, groups[-1].number}:
            groups[-1].add([row])
            continue
        groups.append(Ticket(row.number or "", doubt=doubt if row.number else None))
        groups[-1].add([row])
        doubt = None if row.number else row
    return doubt
