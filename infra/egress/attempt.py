"""One request on its way, as the connection layer sees it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from infra.egress.urls import Target


@dataclass(slots=True)
class Attempt:
    """What the hooks of the connection layer must know and what they note.

    body_room_bytes: most bytes that may arrive after the head, framing included
    has_left:        a connection was handed out for writing; from here on the target may have acted
    is_connection_new: the connection was opened for this request
    """

    target: Target
    body_room_bytes: int
    has_left: bool = False
    is_connection_new: bool = False


# aiohttp calls resolver, socket factory and protocol without the request; tasks inherit the context.
current_attempt: ContextVar[Attempt] = ContextVar("current_attempt")
