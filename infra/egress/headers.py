"""Which methods and headers a caller may set; the connection's own headers are ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from infra.egress.errors import EgressRefused

# The client cannot decode more than this; a target that sends more loses its body, not its status.
DECODABLE = "gzip, deflate"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# Framing, routing and hop-by-hop fields: set by a caller they would open request smuggling, or
# send our credentials under a host that was never checked. RFC 9110 section 7.6.1.
_OURS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def check_call(method: str, headers: Mapping[str, str]) -> None:
    """Refuse a method or header that a caller may not set; raises EgressRefused, never a value."""
    if method not in _METHODS:
        raise EgressRefused("egress.method_invalid", "The method is not one we send.")
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise EgressRefused("egress.header_invalid", "A header name is not usable.")
        if name.lower() in _OURS:
            raise EgressRefused("egress.header_invalid", f"Header {name} is set by the client.")
        if _CONTROL.search(value):
            raise EgressRefused(
                "egress.header_invalid", f"Header {name} holds a control character."
            )


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Give a target's headers: names in lower case, repeated ones joined by comma, valid text."""
    read: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        read[name] = f"{read[name]}, {value}" if name in read else value
    return read
