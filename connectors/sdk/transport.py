"""How a connector reaches its system: relative calls; host, credentials and limits are ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

DEFAULT_TIMEOUT_S = 20.0
DEFAULT_MAX_BODY_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Call:
    """One request, relative to the connection's base URL (`path` starts with `/`).

    `cost` is what the call takes from the connection's budget (1 for most, points for GraphQL), and
    `bucket` names the quota of the manifest that it counts against; empty for the common one.
    """

    method: str
    path: str
    query: Mapping[str, str] | tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout_s: float = DEFAULT_TIMEOUT_S
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    cost: float = 1.0
    bucket: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case; body decoded (gzip) and capped."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_ms: int


class NotSent(Exception):
    """Nothing reached the target (refused, no route, budget empty): sending again is safe.

    `after_s` is how long to wait when it is known (budget, breaker).
    """

    def __init__(self, code: str, words: str, after_s: float | None = None) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words
        self.after_s = after_s


class AnswerLost(Exception):
    """The request left and no usable answer came back: the target may have acted."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Transport(Protocol):
    """Sends calls for one connection; adds credentials after the host check, records, keeps budgets."""

    async def request(self, call: Call) -> Answer:
        """Send one call; raises NotSent or AnswerLost; any HTTP status is an answer."""
        ...
