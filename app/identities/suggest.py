"""Which of our objects a newcomer probably is: for a person to say, before anything is written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.canonical.gs1 import gtin
from infra.ids import Id

# How much each sign says, on its own. Two signs say more than the stronger of them.
WEIGHTS: Mapping[str, float] = {
    "the same GTIN": 0.95,
    "the same SKU": 0.9,
    "nearly the same SKU": 0.6,
    "the same title": 0.5,
}
MOST_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Described:
    """What an article says of itself; any of it may be empty."""

    sku: str = ""
    gtins: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One of our objects that a newcomer may be: how probable (0 to 1), and why."""

    identity_id: Id
    score_0_1: float
    reasons: tuple[str, ...]


def suggest(newcomer: Described, known: Mapping[Id, Described]) -> list[Suggestion]:
    """Give at most five candidates, the most probable first; of equals the older id."""
    return Known(known).suggest(newcomer)


class Known:
    """Our objects by their signs, so that thousands of newcomers are compared in one pass."""

    def __init__(self, known: Mapping[Id, Described]) -> None:
        self._by_sign: defaultdict[tuple[str, str], list[Id]] = defaultdict(list)
        for identity_id, described in known.items():
            for sign in _signs(described):
                self._by_sign[sign].append(identity_id)

    def suggest(self, newcomer: Described) -> list[Suggestion]:
        """Give at most five candidates, the most probable first; of equals the older id."""
        reasons: defaultdict[Id, set[str]] = defaultdict(set)
        for reason, sign in _signs(newcomer):
            for identity_id in self._by_sign.get((reason, sign), ()):
                reasons[identity_id].add(reason)
        found = [_weighed(identity_id, found) for identity_id, found in reasons.items()]
        return sorted(found, key=lambda each: (-each.score_0_1, each.identity_id))[:MOST_CANDIDATES]


def _weighed(identity_id: Id, reasons: set[str]) -> Suggestion:
    """Combine signs as independent ones; the same SKU is also nearly the same, and counts once."""
    counted = reasons - {"nearly the same SKU"} if "the same SKU" in reasons else reasons
    doubt = 1.0
    for reason in counted:
        doubt *= 1 - WEIGHTS[reason]
    in_order = tuple(reason for reason in WEIGHTS if reason in counted)
    return Suggestion(identity_id, round(1 - doubt, 3), in_order)


def _signs(described: Described) -> Iterable[tuple[str, str]]:
    """Give what can be compared; numbers that mean something in one shop only are no sign."""
    for written in described.gtins:
        key = gtin(written)
        if key is not None and key.may_be_published:
            yield "the same GTIN", key.value
    if described.sku:
        yield "the same SKU", described.sku
        yield "nearly the same SKU", _plain(described.sku).lstrip("0")
    if _plain(described.title):
        yield "the same title", _plain(described.title)


def _plain(text: str) -> str:
    """Leave letters and digits, small, one after the other."""
    return re.sub(r"[\W_]+", "", text.casefold())
