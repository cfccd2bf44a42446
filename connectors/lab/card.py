"""The card of a connector: every check with its result, and the share of them that hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import msgspec

from connectors.sdk.message import JsonObject

Verdict = Literal["pass", "fail", "not_applicable"]

_SHOWN: dict[Verdict, str] = {"pass": "pass", "fail": "FAIL", "not_applicable": "-"}


@dataclass(frozen=True, slots=True)
class Result:
    """One check on one connector; `reason` says why it failed or does not apply."""

    check: str
    why: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """All results of one connector, in order of the suite."""

    connector: str
    version: str
    results: tuple[Result, ...]

    @property
    def failed(self) -> tuple[Result, ...]:
        """List what does not hold."""
        return tuple(result for result in self.results if result.verdict == "fail")

    @property
    def score_0_1(self) -> float:
        """Give the share of applicable checks that hold; 0 when none applies."""
        passed = sum(result.verdict == "pass" for result in self.results)
        applicable = passed + len(self.failed)
        return passed / applicable if applicable else 0.0


def figures(card: Card) -> JsonObject:
    """Give a card as plain values, with its score and the count of what fails."""
    return asdict(card) | {"score_0_1": round(card.score_0_1, 4), "failed": len(card.failed)}


def write_card(card: Card, path: Path) -> None:
    """Write a card as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(figures(card)), indent=2) + b"\n")


def render(card: Card) -> str:
    """Draw a card as a table for a terminal, failures with their reason."""
    width = max(len(result.check) for result in card.results)
    rows = [
        f"{result.check.ljust(width)}  {_SHOWN[result.verdict].ljust(4)}  {result.reason}".rstrip()
        for result in card.results
    ]
    passed = sum(result.verdict == "pass" for result in card.results)
    untried = len(card.results) - passed - len(card.failed)
    score = f"{card.score_0_1:.0%}: {passed} hold, {len(card.failed)} fail, {untried} do not apply"
    return "\n".join((f"{card.connector} {card.version}", *rows, score))
