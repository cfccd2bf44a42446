"""The picture of the demo: the verdict in words, and everything within 100 columns and 30 lines."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from uuid import UUID

import pytest
from rich.console import Console

from app.demo.screen import Surroundings, line, picture, verdict
from app.demo.show import _export
from app.demo.standing import Delivered, Standing, Waiting
from app.health.books import Balance
from app.health.ledger import Ledger, LedgerLine
from infra import clock

NOW = clock.now()
HINTS = [("ask", "curl"), ("follow", "trace"), ("try", "kill"), ("logs", "there"), ("end", "C")]


def a_standing(held: int = 0, lost: int = 0, amount: str = "0") -> Standing:
    fates = {"delivered": 200 - held, "superseded": 3, "skipped": 5, "discarded": 1}
    total = Balance(200 + 9 + 5 + lost, fates, held=held, in_flight=5)
    names = [("connection", "erp"), ("connection", "tills"), ("connection", "web-shop")]
    names += [("flow", "stock"), ("flow", "till-sales"), ("flow", "web-orders")]
    lines = tuple(LedgerLine(kind, UUID(int=1), name, NOW, total) for kind, name in names)
    return Standing(
        Ledger(NOW, NOW, NOW, total, lines[:1]) if lost else Ledger(NOW, NOW, NOW, total, lines),
        Waiting(held, Decimal(amount), "Ticket 4, store 12: " + "the tenders differ " * 9),
        Delivered(90, Decimal("12431.20"), NOW, "Order #1042"),
        Delivered(60, Decimal("800.00"), NOW, "Ticket 4"),
        Delivered(50, Decimal(0), NOW, "Stock of MM-0001"),
        NOW,
    )


@pytest.mark.parametrize(
    ("standing", "words", "colour"),
    [
        (a_standing(), "All is well: 214 records in, 214 accounted for.", "green"),
        (
            a_standing(held=1, amount="48.10"),
            "1 record waits for a person, $48.10 at stake. 214 records in, 214 accounted for.",
            "yellow",
        ),
        (
            a_standing(held=2, amount="1048.10"),
            "2 records wait for a person, $1,048.10 at stake. 214 records in, 214 accounted for.",
            "yellow",
        ),
        (
            a_standing(held=1, lost=3),
            "3 of 217 records cannot be found. Call the operator.",
            "red",
        ),
    ],
)
def test_verdict_says_the_worst_first(standing: Standing, words: str, colour: str) -> None:
    assert verdict(standing) == (words, colour)


def test_picture_with_everything_in_it_fits_the_terminal() -> None:
    around = Surroundings({"web": 1, "PostgreSQL": 2}, "PostgreSQL does not start.", HINTS)
    console = Console(width=100, file=StringIO(), force_terminal=False)

    with console.capture() as captured:
        console.print(picture(a_standing(held=2, amount="48.10"), around))

    lines = captured.get().splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100
    assert "$13,231.20" in captured.get()
    assert "PostgreSQL 2, web 1" in captured.get()


def test_line_without_a_terminal_says_verdict_freshness_and_restarts() -> None:
    said = line(a_standing(), Surroundings({"web": 1}, "", HINTS))

    assert said == (
        "All is well: 214 records in, 214 accounted for. Delivered 200, in flight 5, unaccounted 0;"
        " last web order 0 s ago; restarts 1"
    )


def test_exported_picture_fetches_nothing(tmp_path: object) -> None:
    path = tmp_path / "deep" / "up.svg"  # type: ignore[operator]

    _export(picture(a_standing(), Surroundings({}, "", HINTS)), path)

    svg = path.read_text()
    assert "All&#160;is&#160;well" in svg
    assert "@font-face" not in svg
