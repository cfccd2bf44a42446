"""The recording target without a network, for conformance runs: calls in, answers or silence out."""

from __future__ import annotations

from connectors.catalog.http.emulator.faults import Faults
from connectors.catalog.http.emulator.target import Target
from connectors.sdk.transport import Answer, AnswerLost, Call


class Rehearsal:
    """A transport that ends at a recording target in this process."""

    def __init__(self) -> None:
        self._target = Target()

    async def request(self, call: Call) -> Answer:
        """Hand one call to the target; raises AnswerLost when its answer never leaves."""
        headers = {name.lower(): value for name, value in call.headers.items()}
        reply = self._target.take(headers, call.body)
        if reply.seen != "answered":
            raise AnswerLost("The recording target did not answer.")
        return Answer(reply.status, dict(reply.headers), reply.body, took_ms=0)

    def lose_answers(self, *, lost: bool) -> None:
        """Apply from now on and say nothing, or speak again."""
        self._target.faults = Faults(lost=1.0 if lost else 0.0)

    def effects(self) -> int:
        """Count what was really done."""
        return sum(self._target.book.effects.values())


def rehearse() -> Rehearsal:
    """Set up a fresh target."""
    return Rehearsal()
