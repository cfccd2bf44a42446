"""A recording target that also keeps what it was told, for judges who add up money."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from connectors.catalog.http.emulator import Recorder, Target
from connectors.catalog.http.emulator.target import Reply


@dataclass(slots=True)
class KeepingTarget(Target):
    """Keeps the body of every request that had its effect, in order; `url` is where it listens.

    Orders and tickets whose `key|number` is in `refused` are answered 422.
    """

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def take(self, headers: dict[str, str], body: bytes) -> Reply:
        if self.refused and _object_of(body) in self.refused:
            return _REFUSED
        known = len(self.book.effects)
        reply = Target.take(self, headers, body)
        if len(self.book.effects) > known:
            self.bodies.append(body)
        return reply

    def events(self) -> list[dict[str, Any]]:
        """Give what was told, read without the product's own types."""
        return [msgspec.json.decode(body) for body in self.bodies]

    def paid(self) -> dict[str, Decimal]:
        """Add up the tenders of everything that was told, by kind."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for event in self.events():
            for tender in event["data"].get("tenders", ()):
                sums[tender["kind"]] += Decimal(tender["amount"])
        return {kind: amount for kind, amount in sums.items() if amount}

    def numbers(self) -> list[str]:
        """List the tickets that were told, by their number, in order."""
        return [event["data"]["number"] for event in self.events()]


def _object_of(body: bytes) -> str:
    told = msgspec.json.decode(body)
    return f"{told['subject']}|{told['data'].get('number', '')}"


_REFUSED = Reply(422, b'{"title":"Not this one.","errors":[{"pointer":"/data/number"}]}')


def recorder() -> tuple[KeepingTarget, Recorder]:
    """Make a target and the server in front of it."""
    target = KeepingTarget()
    return target, Recorder(target)
