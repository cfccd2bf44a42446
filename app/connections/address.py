"""The full URL of a call: a connector names only a path below the connection's own base URL."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from app.connections.directory import ConnectionConfig
from app.connections.origin import origin_of
from connectors.sdk.transport import Call, NotSent

# Dots, slashes and backslashes may come percent-encoded; servers decode before they resolve.
_DOT = r"(?:\.|%2e)"
_CLIMBS = re.compile(rf"(?:^|[/\\]|%2f|%5c){_DOT}{{1,2}}(?:$|[/\\;]|%2f|%5c)", re.IGNORECASE)
_PATH = re.compile(r"/(?![/\\])[^\\?#\x00-\x20\x7f]*")


def address_of(config: ConnectionConfig, call: Call) -> str:
    """Build the URL of a call; raises NotSent when it could lead anywhere but below the base URL."""
    base_url = config.settings.get("base_url")
    if not isinstance(base_url, str) or not base_url:
        raise NotSent("connection.base_url_missing", "This connection has no base URL.")
    if not _PATH.fullmatch(call.path) or "//" in call.path or _CLIMBS.search(call.path):
        raise NotSent(
            "connection.path_refused",
            "The connector asked for an address that is not a plain path.",
        )
    url = base_url.rstrip("/") + call.path
    query = call.query if isinstance(call.query, tuple) else tuple(call.query.items())
    if query:
        url = f"{url}?{urlencode(query)}"
    if origin_of({"base_url": url.partition("?")[0]}) != config.origin:
        raise NotSent("connection.host_differs", "The call would leave the connection's own host.")
    return url
