"""The judge of the demo: what senders say they told against what targets say they did."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from connectors.catalog.http.emulator.book import Entry, effects_by_key, lanes, read_log

HTTP_OK = 200


@dataclass(frozen=True, slots=True)
class Told:
    """What senders told: how many messages of each order, and what each order is worth."""

    messages: Mapping[str, int]
    amounts: Mapping[str, Decimal]

    @property
    def records(self) -> int:
        """Count the messages."""
        return sum(self.messages.values())

    @property
    def amount(self) -> Decimal:
        """Sum up the money, each order once."""
        return sum(self.amounts.values(), Decimal(0))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one target did: how many records had their effect, and what was wrong with that.

    `missing`, `doubled` and `unknown` count records; `repeated` counts requests for an effect that
    had been had, which its key made harmless; `inverted` counts lanes told out of order.
    """

    target: str
    effects: int
    missing: int
    doubled: int
    unknown: int
    repeated: int
    inverted: int

    @property
    def is_clean(self) -> bool:
        """Say whether every record had its effect once, in order, and nothing else happened."""
        return not (self.missing or self.doubled or self.unknown or self.inverted)


def told_by(logs: Iterable[Path], *, only: frozenset[str] = frozenset()) -> Told:
    """Read what senders told, by the number of the order; `only`: those with one of these articles."""
    messages: Counter[str] = Counter()
    amounts: dict[str, Decimal] = {}
    for log in logs:
        for line in log.read_text("utf-8").splitlines():
            record = json.loads(line)
            if only and only.isdisjoint(record["articles"]):
                continue
            messages[record["number"]] += 1
            amounts[record["number"]] = Decimal(record["amount"])
    return Told(messages, amounts)


def judge(target: str, log: Path, told: Told) -> Verdict:
    """Hold a target's log against what was told; lanes are named `order:<number>`."""
    entries = list(read_log(log))
    done = {lane.partition(":")[2]: effects for lane, effects in lanes(entries).items()}
    wanted = told.messages
    return Verdict(
        target=target,
        effects=sum(len(each) for each in done.values()),
        missing=sum(max(0, count - len(done.get(each, ()))) for each, count in wanted.items()),
        doubled=sum(max(0, len(done[each]) - wanted[each]) for each in done if each in wanted)
        + sum(count > 1 for count in effects_by_key(entries).values()),
        unknown=sum(len(each) for number, each in done.items() if number not in wanted),
        repeated=sum(_is_repeat(entry) for entry in entries),
        inverted=sum(not _in_order(each) for each in done.values()),
    )


def _is_repeat(entry: Entry) -> bool:
    return entry.status == HTTP_OK and not entry.is_effect


def _in_order(effects: list[Entry]) -> bool:
    versions = [entry.version for entry in effects]
    return versions == sorted(versions)
