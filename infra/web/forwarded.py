"""What a front proxy says about the client: believed from configured addresses, else removed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

from infra.web.asgi import Headers, Scope

Networks = Sequence[IPv4Network | IPv6Network]

_PREFIX = b"x-forwarded-"
_OTHERS = frozenset({b"forwarded", b"x-real-ip"})
_CACHED_ADDRESSES = 4_096


class ForwardedRule:
    """Strip forwarding fields of strangers; apply those of trusted proxies to the scope."""

    def __init__(self, trusted: Networks = ()) -> None:
        self._trusted = tuple(trusted)
        self._is_trusted = lru_cache(_CACHED_ADDRESSES)(self._look_up)

    def apply(self, scope: Scope) -> None:
        """Change `headers`, `client` and `scheme` of the scope in place."""
        headers: Headers = scope["headers"]
        # One search instead of a test per field: nearly no request carries any of them.
        names = b" ".join([name for name, _ in headers])
        if b"forwarded" not in names and b"x-real-ip" not in names:
            return
        client = scope.get("client")
        if client is not None and self._is_trusted(client[0]):
            self._believe(scope, headers)
        else:
            scope["headers"] = [
                (name, value)
                for name, value in headers
                if not name.startswith(_PREFIX) and name not in _OTHERS
            ]

    def _believe(self, scope: Scope, headers: Headers) -> None:
        schemes = [value for name, value in headers if name == b"x-forwarded-proto"]
        if schemes in ([b"http"], [b"https"]):
            scope["scheme"] = schemes[0].decode("ascii")
        address = self._client_address(headers)
        if address is not None:
            scope["client"] = (address, 0)

    def _client_address(self, headers: Headers) -> str | None:
        """Find the last hop that is not a proxy of ours; what stands before it may be invented."""
        values = [value for name, value in headers if name == b"x-forwarded-for"]
        hops = [hop.strip().decode("latin-1") for value in values for hop in value.split(b",")]
        for hop in reversed(hops):
            if not _is_address(hop):
                return None
            if not self._is_trusted(hop):
                return hop
        return None

    def _look_up(self, address: str) -> bool:
        if not _is_address(address):
            return False
        parsed = ip_address(address)
        return any(parsed in network for network in self._trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
