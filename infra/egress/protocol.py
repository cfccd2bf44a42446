"""The receiving side of one connection, with a count of the bytes that may still arrive."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aiohttp import ClientPayloadError
from aiohttp.client_proto import ResponseHandler

from infra.egress.attempt import current_attempt

MAX_HEAD_BYTES = 32_768


class HeadTooLarge(Exception):
    """More than 32 KB arrived before the final head was complete."""


class BoundedResponse(ResponseHandler):
    """Counts what arrives: 32 KB until the final head is complete, then the body's room.

    aiohttp bounds each header line but neither their sum, nor the number of interim (1xx) answers,
    nor chunk extensions and trailers; a target could keep a process parsing until the deadline.
    """

    _room_bytes = 0
    _body_room_bytes = 0

    def set_response_params(self, **params: Any) -> None:
        """Begin to wait for an answer; called once per request, in the request's context."""
        self._room_bytes = MAX_HEAD_BYTES
        self._body_room_bytes = current_attempt.get().body_room_bytes
        super().set_response_params(**params)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Take a parsed head; only a final one opens the room for a body."""
        status = data[0].code
        if status >= HTTPStatus.OK or status == HTTPStatus.SWITCHING_PROTOCOLS:
            self._room_bytes += self._body_room_bytes
            self._body_room_bytes = 0
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Parse what fits into the room; close the connection on the first byte beyond it."""
        if len(data) <= self._room_bytes:
            self._room_bytes -= len(data)
            super().data_received(data)
            return
        fitting, rest = data[: self._room_bytes], data[self._room_bytes :]
        self._room_bytes = 0
        super().data_received(fitting)
        if self._room_bytes:
            self.data_received(rest)
        else:
            self._refuse_more()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Fail a body that was reset; aiohttp would take one without a length for whole."""
        if exc is not None and self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(ClientPayloadError("reset"))
        super().connection_lost(exc)

    def close(self) -> None:
        """Close at once: a polite TLS shutdown would let a silent peer hold the socket for 30 s."""
        self.abort()

    def _refuse_more(self) -> None:
        is_head_open = self._body_room_bytes > 0
        if is_head_open:
            self.set_exception(HeadTooLarge())
        if self.transport is not None:
            self.transport.abort()
