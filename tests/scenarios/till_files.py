"""Till files to send through: where they come from, what they sum up to, and how they are damaged.

Sums are reckoned with regular expressions and the csv module only, never with the code under test.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from connectors.catalog.pos_files.emulator import TillFleet, TillItem, as_text

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
POSLOG: dict[str, Any] = {
    "dialect": "poslog_ncr",
    "timezone": "America/New_York",
    "currency": "USD",
}
TLOG: dict[str, Any] = {
    "dialect": "tlog_csv",
    "timezone": "Europe/London",
    "currency": "GBP",
    "tender": "account",
}
CENT = Decimal("0.01")

_WHOLE = re.compile(rb"<Transaction>.*?</Transaction>", re.DOTALL)
_TENDER = re.compile(
    rb'<Tender TenderType="(\w+)".*?<Amount>(-?[\d.]+)</Amount>(.{0,14})', re.DOTALL
)
_KINDS = {"Cash": "cash", "CreditDebit": "card"}


@dataclass(frozen=True)
class TillFile:
    """One file: its settings, its tickets in file order, and what they were paid with."""

    name: str
    content: bytes
    settings: dict[str, Any]

    @property
    def is_poslog(self) -> bool:
        return bool(self.settings["dialect"] == "poslog_ncr")

    def pieces(self) -> list[bytes]:
        """Cut the file into its tickets with nothing but a pattern or the csv module."""
        if self.is_poslog:
            return _WHOLE.findall(self.content)
        return [raw for _, raw in _invoices(self.content)]

    def sold(self) -> list[bytes]:
        """Give the tickets that are sales."""
        return [piece for piece in self.pieces() if self.is_sale(piece)]

    def is_sale(self, piece: bytes) -> bool:
        if self.is_poslog:
            return b"<RetailTransaction" in piece
        return not all(not row["unit_price"] and not row["customer"] for row in _rows(piece))

    def number(self, piece: bytes) -> str:
        """Give the number printed on a ticket."""
        if self.is_poslog:
            found = re.search(rb"<SequenceNumber>([^<]+)<", piece)
            assert found is not None
            return found[1].decode()
        return piece.split(b",", 1)[0].decode()

    def till(self, piece: bytes) -> str:
        """Name the till as the ordering key does; a T-log does not tell it."""
        if not self.is_poslog:
            return "till:-/-"
        store, workstation = (
            re.findall(rb"<" + name + rb">([^<]+)<", piece)[0].decode()
            for name in (b"RetailStoreID", b"WorkstationID")
        )
        return f"till:{store}/{workstation}"

    def paid(self, pieces: list[bytes]) -> dict[str, Decimal]:
        """Add up what tickets were paid with, by kind of tender."""
        return _paid_poslog(pieces) if self.is_poslog else _paid_tlog(pieces)


@dataclass(frozen=True)
class Damage:
    """One way to break a ticket, and the code under which it must be held."""

    code: str
    breaks: Callable[[bytes], bytes]


POSLOG_DAMAGES = (
    Damage("xml.malformed", lambda raw: raw.replace(b"</RetailTransaction>", b"")),
    Damage(
        "quantity.invalid",
        lambda raw: re.sub(rb"<Quantity>-?[\d.]+", b"<Quantity>NaN", raw, count=1),
    ),
    Damage(
        "amount.invalid",
        lambda raw: re.sub(rb"<ExtendedAmount>-?[\d.]+", b"<ExtendedAmount>1,10", raw, count=1),
    ),
    Damage(
        "time.invalid",
        lambda raw: re.sub(rb"<EndDateTime>[^<]+", b"<EndDateTime>2017-02-30T10:00:00", raw),
    ),
    Damage("text.nul", lambda raw: raw.replace(b"<Description>", b"<Description>\0", 1)),
    Damage(
        "order.totals_differ",
        lambda raw: re.sub(rb'(TransactionGrandAmount">)(-?)', rb"\g<1>\g<2>1", raw, count=1),
    ),
)
TLOG_DAMAGES = (
    Damage("csv.columns", lambda raw: _first_row(raw, lambda row: row + b",one too many")),
    Damage("quantity.invalid", lambda raw: _field(raw, 3, b"six")),
    Damage("amount.invalid", lambda raw: _field(raw, 5, b"2.5.5")),
    Damage("time.invalid", lambda raw: _field(raw, 4, b"2010-13-01 08:26:00")),
    Damage("text.nul", lambda raw: _first_row(raw, lambda row: row.replace(b",", b",\0", 1))),
)


@dataclass(frozen=True)
class Broken:
    """A damaged file: the whole content, and of each victim its code, byte and line."""

    file: TillFile
    victims: list[tuple[str, int, int]]
    good: list[bytes]


def damaged(file: TillFile, every: int = 100) -> Broken:
    """Damage one ticket in `every`, in turn in each way; at least one."""
    damages = POSLOG_DAMAGES if file.is_poslog else TLOG_DAMAGES
    sold = file.sold()
    able = [piece for piece in sold if _is_plain(file, piece)]
    count = max(1, len(sold) // every)
    chosen = able[len(able) // count // 2 :: len(able) // count][:count]
    assert len(chosen) == count
    content, victims = file.content, []
    for at, piece in enumerate(chosen):
        damage = damages[at % len(damages)]
        worse = damage.breaks(piece)
        assert worse != piece
        content = content.replace(piece, worse, 1)
        victims.append((damage.code, worse))
    places = [
        (code, (byte := content.index(worse)), content.count(b"\n", 0, byte) + 1)
        for code, worse in victims
    ]
    good = [piece for piece in sold if piece not in chosen]
    return Broken(TillFile(file.name, content, file.settings), places, good)


def samples() -> list[Any]:
    """List the real files by name; a missing one is skipped where it is used."""
    names = [("poslog", f"ncr-acs_{part}.xml", POSLOG) for part in ("SMALL", "store9_part")]
    days = ("2010-12-01", "2010-12-02", "2011-01-16", "2011-05-06", "2011-08-09", "2011-12-05")
    names += [("uci-online-retail", f"{day}.csv", TLOG) for day in days]
    return [pytest.param(*each, id=each[1]) for each in names]


def sample(folder: str, name: str, settings: dict[str, Any]) -> TillFile:
    path = SAMPLES / folder / name
    if not path.is_file():
        pytest.skip(f"no ../shared/samples/{folder}/{name} beside this clone: judged where it is")
    return TillFile(name, path.read_bytes(), settings)


def own_file(tickets: int, dialect: str = "poslog_ncr", seed: int = 7) -> TillFile:
    """Write a day of two stores with three tills each, the same for the same seed."""
    items = [
        TillItem(f"OWN-{n}", f"Own article {n}", Decimal(n * 7 + 3) / 4, is_taxed=n % 2 == 0)
        for n in range(1, 30)
    ]
    fleet = TillFleet(seed=seed, items=items, stores=("12", "17"))
    opening = datetime.combine(date(2026, 11, 20), datetime.min.time()).replace(hour=9)
    text = as_text(list(islice(fleet.tickets(opening, 2.0), tickets)), dialect)
    settings = POSLOG if dialect == "poslog_ncr" else TLOG
    return TillFile(f"own.{'xml' if dialect == 'poslog_ncr' else 'csv'}", text.encode(), settings)


async def in_chunks(content: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """Give a file as an upload gives it."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


def _is_plain(file: TillFile, piece: bytes) -> bool:
    """Say whether a ticket can be damaged in every way without touching its neighbours."""
    if file.is_poslog:
        return b"<Sale" in piece and piece.count(b"<Tax ") == 0
    return b'"' not in piece and piece.count(b"\n") > 2


def _paid_poslog(pieces: list[bytes]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for kind, amount, following in _TENDER.findall(b"".join(pieces)):
        is_change = following.startswith(b"<TenderChange>")
        sums["change" if is_change else _KINDS[kind.decode()]] += Decimal(amount.decode())
    return {kind: amount for kind, amount in sums.items() if amount}


def _paid_tlog(pieces: list[bytes]) -> dict[str, Decimal]:
    rows = [row for piece in pieces for row in _rows(piece)]
    total = sum((_net(row["quantity"] * row["unit_price"]) for row in rows), Decimal(0))
    return {"account": total} if total else {}


def _net(exact: Decimal) -> Decimal:
    return exact.quantize(CENT, ROUND_HALF_UP)


def _rows(piece: bytes) -> list[dict[str, Any]]:
    return [
        {"quantity": Decimal(row[3]), "unit_price": Decimal(row[5]), "customer": row[6]}
        for row in csv.reader(StringIO(piece.decode(), newline=""))
    ]


def _invoices(content: bytes) -> list[tuple[str, bytes]]:
    """Give consecutive rows of one number; a quoted line end does not end a row."""
    found: list[tuple[str, bytes]] = []
    _, _, rest = content.partition(b"\n")
    row = b""
    for line in rest.splitlines(keepends=True):
        row += line
        if row.count(b'"') % 2:
            continue
        number = row.split(b",", 1)[0].decode()
        if found and found[-1][0] == number:
            found[-1] = (number, found[-1][1] + row)
        else:
            found.append((number, row))
        row = b""
    return found


def _first_row(piece: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Change the second row, which cannot be taken for another ticket's."""
    rows = piece.splitlines(keepends=True)
    rows[1] = change(rows[1].rstrip(b"\r\n")) + b"\n"
    return b"".join(rows)


def _field(piece: bytes, place: int, value: bytes) -> bytes:
    def change(row: bytes) -> bytes:
        fields = row.split(b",")
        fields[place] = value
        return b",".join(fields)

    return _first_row(piece, change)
