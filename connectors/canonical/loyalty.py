"""Loyalty: points are a ledger; the balance is its sum, and is never set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from connectors.canonical.checks import Found, Rule, broken_rules
from connectors.canonical.inventory import Moment
from connectors.canonical.order_checks import Breach

EntryKind = Literal["earn", "burn", "adjust", "expire", "transfer", "reverse"]

# What a till may let be spent while it cannot ask the engine.
OFFLINE_POINTS_MAX = 500
# +1: only more than nothing, -1: only less; the others go either way.
_SIGNS: dict[EntryKind, int] = {"earn": 1, "burn": -1, "expire": -1}


class LoyaltyEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Points that came (above nothing) or went; the same `entry_id` is the same entry.

    `reverses` names the entry that is taken back, for a return of the order.
    """

    entry_id: str
    kind: EntryKind
    points: int
    at: Moment
    order_id: str = ""
    reverses: str = ""


class LoyaltyAccount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A member's account in one programme with its entries, oldest first or not."""

    account_id: str
    program: str
    tier: str = ""
    entries: tuple[LoyaltyEntry, ...] = ()


def balance(entries: Iterable[LoyaltyEntry]) -> int:
    """Sum up the points, each entry once; below nothing when points were spent and then taken back."""
    return sum({each.entry_id: each.points for each in entries}.values())


def may_spend_offline(points: int, spent_offline: int) -> bool:
    """Say whether a till may let points be spent without the engine, after what it let go already."""
    return points > 0 and spent_offline + points <= OFFLINE_POINTS_MAX


def account_breaches(account: LoyaltyAccount) -> list[Breach]:
    """Give every rule that an account breaks."""
    return broken_rules(account, RULES)


def _signs(account: LoyaltyAccount) -> Found:
    for place, each in enumerate(account.entries):
        sign = _SIGNS.get(each.kind, 0)
        if each.points * sign < 0 or each.points == 0:
            yield f"/entries/{place}/points", f"{each.kind} of {each.points} points is none."


def _once(account: LoyaltyAccount) -> Found:
    known: dict[str, LoyaltyEntry] = {}
    for place, each in enumerate(account.entries):
        if known.setdefault(each.entry_id, each) != each:
            words = f"Entry {each.entry_id} is told twice with different content."
            yield f"/entries/{place}/entry_id", words


def _reversals(account: LoyaltyAccount) -> Found:
    entries = {each.entry_id: each for each in account.entries}
    reversed_by: dict[str, str] = {}
    for place, each in enumerate(account.entries):
        if each.kind != "reverse":
            continue
        first = reversed_by.setdefault(each.reverses, each.entry_id)
        taken_back = entries.get(each.reverses)
        if first != each.entry_id:
            yield f"/entries/{place}/reverses", f"{each.reverses} is taken back twice."
        elif taken_back is not None and abs(each.points) > abs(taken_back.points):
            words = f"More is taken back than {each.reverses} was."
            yield f"/entries/{place}/points", words
        elif taken_back is not None and each.points * taken_back.points > 0:
            yield f"/entries/{place}/points", f"{each.reverses} is repeated, not taken back."


def _negative(account: LoyaltyAccount) -> Found:
    points = balance(account.entries)
    if points < 0:
        yield "/entries", f"The account stands at {points} points: spent, and then taken back."


RULES: tuple[Rule[LoyaltyAccount], ...] = (
    Rule("LY-1", "error", _signs),
    Rule("LY-2", "error", _once),
    Rule("LY-3", "error", _reversals),
    Rule("LY-4", "warning", _negative),
)
