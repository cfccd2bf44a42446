"""Who may be reached: public addresses over https, what is allowed by name, never ourselves."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from infra.egress.addresses import refusal
from infra.egress.errors import EgressRefused
from infra.egress.urls import Target


class EgressPolicy:
    """The rules of one process for outbound requests.

    allow: `host:port`, `host`, address or CIDR that may be reached by plain http and although not
           public (setting EGRESS_ALLOW; tests and demos). Empty allows nothing extra.
    own:   the same kinds of entries for what is ourselves (our hostnames, front proxy addresses);
           refused before anything else, so that no delivery loops back into our own doors.
    """

    def __init__(
        self, allow: frozenset[str] = frozenset(), own: frozenset[str] = frozenset()
    ) -> None:
        self.allow = allow
        self.own = own
        self._allowed = _Places(allow)
        self._ourselves = _Places(own)

    def check_target(self, target: Target) -> None:
        """Refuse what the URL alone already forbids; raises EgressRefused."""
        if self._ourselves.names(target):
            raise _refused("self_connection", target, "is one of our own hosts")
        if target.scheme == "https" or self._allowed.names(target):
            return
        # An address allowed by CIDR may be plain http; that is known only once it is resolved.
        if not self._allowed.networks:
            raise _refused("https_required", target, "must be reached by https")

    def check_address(self, target: Target, address: str) -> None:
        """Refuse one address that a target resolved to; raises EgressRefused."""
        if self._ourselves.contain(address):
            raise _refused("self_connection", target, "leads back to ourselves")
        if self._allowed.names(target) or self._allowed.contain(address):
            return
        if reason := refusal(address):
            raise _refused("address_blocked", target, f"leads to a closed address ({reason})")
        if target.scheme != "https":
            raise _refused("https_required", target, "must be reached by https")


class _Places:
    """Entries of one list, read once; raises ValueError naming the entry that cannot be read."""

    def __init__(self, entries: frozenset[str]) -> None:
        self.networks: tuple[IPv4Network | IPv6Network, ...] = ()
        self._names: set[tuple[str, int | None]] = set()
        for entry in sorted(entries):
            self._add(entry.strip().lower())

    def names(self, target: Target) -> bool:
        """Say whether an entry means this host by name (or written address), with or without port."""
        host = target.host.rstrip(".")
        return (host, target.port) in self._names or (host, None) in self._names

    def contain(self, address: str) -> bool:
        """Say whether an entry covers this address."""
        if not self.networks:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)

    def _add(self, entry: str) -> None:
        try:
            self.networks += (ip_network(entry, strict=False),)
        except ValueError:
            self._names.add(_host_and_port(entry))


def _host_and_port(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.rpartition(":")
    if not colon:
        host, port = entry, ""
    host = host.removeprefix("[").removesuffix("]").rstrip(".")
    if not host or "/" in host or "*" in host or (colon and not port.isdecimal()):
        raise ValueError(f"{entry!r} is not host:port, host or CIDR; correct this entry")
    return host, int(port) if port else None


def _refused(reason: str, target: Target, words: str) -> EgressRefused:
    return EgressRefused(f"egress.{reason}", f"{target.host} {words}.")
