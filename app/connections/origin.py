"""Where a connection's credentials may go: scheme, host and port of its base URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.egress.errors import EgressRefused
from infra.egress.urls import parse_url
from infra.errors import FieldError, Unprocessable

NO_ORIGIN = ""


def origin_of(settings: Mapping[str, Any]) -> str:
    """Give `https://host:port` of `base_url` in one spelling, "" when there is none.

    Scheme and port belong to it: a credential must not follow to plain http or to another server
    on the same machine. Raises Unprocessable when the base URL is unusable.
    """
    base_url = settings.get("base_url")
    if base_url in (None, ""):
        return NO_ORIGIN
    try:
        target = parse_url(base_url if isinstance(base_url, str) else "")
    except EgressRefused as refusal:
        raise _unusable(refusal.words) from None
    if target.url.query_string:
        raise _unusable("It must not carry a query.")
    return f"{target.scheme}://{target.host}:{target.port}"


def _unusable(words: str) -> Unprocessable:
    field = FieldError("/settings/base_url", "connection.base_url_invalid", words)
    return Unprocessable(
        f"The base URL of this connection cannot be used. {words}",
        code="connection.base_url_invalid",
        errors=(field,),
    )
