"""The rules of planning as a table: what becomes of each kind of moment for each kind of reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.exceptions.incidents.severity import GRAVEST
from app.health.alerts.addresses import is_mail_address
from app.health.alerts.plain import lasting, local, money, one_line
from app.health.alerts.rules import Fate, Happening, Known, Reader, rule
from app.health.alerts.severity import CRITICAL, NAMES

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
T, D, U, N = Fate.TELL, Fate.DIGEST, Fate.UNNEEDED, Fate.NOTHING


@pytest.mark.parametrize(
    ("kind", "severity", "known", "room", "fate", "replaces"),
    [
        ("opened", 2, "nothing", 1, T, False),
        ("opened", 2, "nothing", 0, D, False),
        ("opened", 3, "nothing", 0, T, False),
        ("opened", 0, "nothing", 1, N, False),
        ("regressed", 2, "told", 1, T, False),
        ("escalated", 2, "unsent", 1, T, True),
        ("escalated", 3, "unsent", 0, T, True),
        ("escalated", 2, "in_digest", 0, D, False),
        ("escalated", 3, "in_digest", 0, T, False),
        ("resolved", 2, "nothing", 1, N, False),
        ("resolved", 2, "unsent", 1, U, True),
        ("resolved", 3, "unsent", 0, T, False),
        ("resolved", 2, "in_digest", 1, U, False),
        ("resolved", 2, "told", 1, T, False),
        ("resolved", 2, "told", 0, D, False),
        ("resolved", 3, "told", 0, T, False),
        ("grown", 3, "told", 1, N, False),
        ("assigned", 3, "told", 1, N, False),
    ],
)
def test_fate(
    kind: str, severity: int, known: Known, room: int, fate: Fate, replaces: bool
) -> None:
    ruling = rule(Happening(kind, severity, NOW), Reader(1, room, known))

    assert (ruling.fate, ruling.replaces_unsent) == (fate, replaces)


@pytest.mark.parametrize(
    ("kind", "minutes", "fate"),
    [("opened", 1, U), ("regressed", 1, U), ("escalated", 1, T), ("opened", -1, T)],
)
def test_a_snooze_keeps_all_quiet_but_what_gets_worse(kind: str, minutes: int, fate: Fate) -> None:
    until = NOW + timedelta(minutes=minutes)

    assert rule(Happening(kind, 2, NOW, until), Reader(1, 1)).fate is fate


def test_alerts_and_incidents_agree_on_what_is_gravest() -> None:
    assert CRITICAL == GRAVEST == len(NAMES) - 1


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        ({"USD": "412000.10"}, "USD 412,000.10"),
        ({"USD": "1480.000000", "EUR": "3.5"}, "EUR 3.50 + USD 1,480.00"),
        ({"JPY": "120000"}, "JPY 120,000"),
        ({"USD": "0.00"}, ""),
        ({"USD": "0.0012"}, "USD 0.0012"),
        ({}, ""),
    ],
)
def test_money_is_said_exactly(amounts: dict[str, str], words: str) -> None:
    assert money({each: Decimal(amount) for each, amount in amounts.items()}) == words


@pytest.mark.parametrize(
    ("moment", "zone", "words"),
    [
        (NOW, "America/New_York", "07:00"),
        (NOW - timedelta(hours=11), "America/New_York", "Thu 19 Nov 2026, 20:00"),
        (NOW, "Nowhere/Known", "12:00"),
        (NOW, "../etc/passwd", "12:00"),
    ],
)
def test_moments_are_said_in_the_retailers_time(moment: datetime, zone: str, words: str) -> None:
    assert local(moment, zone, NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (45, "45 s"), (720, "12 min"), (7800, "2 h 10 min"), (273600, "3 days 4 h")],
)
def test_spans_are_said_shortly(seconds: int, words: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\nb", "a b"),
        ("a\x00b\u202ec\u2028d", "a b c d"),
        ("  a  ", "a"),
        ("abcdefgh", "abcdefgh"),
        ("abcdefghijk", "abcde..."),
    ],
)
def test_a_text_becomes_one_harmless_line(text: str, line: str) -> None:
    assert one_line(text, 8) == line


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("desk@shop.example", True),
        ("first.last+tag@a.b.example", True),
        ("desk@shop", False),
        ("desk@shop.example, other@shop.example", False),
        ("Desk <desk@shop.example>", False),
        ("desk@shop.example\nBcc: x@y.example", False),
        ("desk@@shop.example", False),
        ("=?utf-8?q?a?=@shop.example", False),
        ("d\u00e9sk@shop.example", False),
        ("desk@-shop.example", False),
        (f"{'a' * 65}@shop.example", False),
        (f"a@{'b.' * 130}example", False),
        ("", False),
    ],
)
def test_an_address_is_one_plain_address_or_none(address: str, is_one: bool) -> None:
    assert is_mail_address(address) is is_one
