"""A target that gives every call the same answer, or none, and remembers the calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.sdk.transport import Answer, AnswerLost, Call, NotSent


@dataclass(slots=True)
class Scripted:
    """A transport that never leaves the process; an exception is raised instead of an answer."""

    answer: Answer | NotSent | AnswerLost
    calls: list[Call] = field(default_factory=list)

    async def request(self, call: Call) -> Answer:
        """Give the answer that was planned."""
        self.calls.append(call)
        if isinstance(self.answer, Answer):
            return self.answer
        raise self.answer


def answered(status: int, body: bytes = b"{}", /, **headers: str) -> Answer:
    """Plan an answer; header names with underscores for dashes."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json"} | told, body, took_ms=1)
