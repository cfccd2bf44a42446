"""Which host names are answered for: exact names, `*.` patterns, and names known only at run time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

HostCheck: TypeAlias = Callable[[str], bool]

_AUTHORITY = re.compile(
    r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?)\.?(?::[0-9]{1,5})?",
    re.IGNORECASE,
)


def allow_hosts(names: Iterable[str], known: HostCheck | None = None) -> HostCheck:
    """Make the check of one process: listed names, or `known(host)` for brand domains.

    `known` must answer at once (from memory): it is asked for every request to an unlisted host.
    """
    listed = [name.lower() for name in names]
    exact = frozenset(name for name in listed if not name.startswith("*."))
    suffixes = tuple(name[1:] for name in listed if name.startswith("*."))

    def is_allowed(host: str) -> bool:
        if host in exact or (suffixes and host.endswith(suffixes)):
            return True
        return known is not None and known(host)

    return is_allowed


def host_name(authority: bytes) -> str | None:
    """Give the host of a Host header in lower case, without port; None when it is malformed."""
    try:
        found = _AUTHORITY.fullmatch(authority.decode("ascii"))
    except UnicodeDecodeError:
        return None
    return found.group(1).lower() if found else None


def target_authority(target: bytes) -> bytes | None:
    """Give `host:port` of an absolute request target (http, https), None for any other form."""
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() not in {b"http", b"https"}:
        return None
    return re.split(rb"[/?#]", rest, maxsplit=1)[0]
