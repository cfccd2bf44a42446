"""Which addresses are not the public internet, by our own table.

`ipaddress.is_private` and `is_global` of Python 3.11 let carrier-grade NAT, 6to4, NAT64, site-local
and multicast addresses pass, so they are not asked.
Source: https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry, read 2026-11-20
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_IPV4_RANGES = (
    (IPv4Network("0.0.0.0/8"), "this network"),
    (IPv4Network("10.0.0.0/8"), "private"),
    (IPv4Network("100.64.0.0/10"), "carrier-grade NAT"),
    (IPv4Network("127.0.0.0/8"), "loopback"),
    # Azure's wire server: a public address that answers only inside the cloud.
    # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    (IPv4Network("168.63.129.16/32"), "cloud metadata"),
    (IPv4Network("169.254.0.0/16"), "link-local and cloud metadata"),
    (IPv4Network("172.16.0.0/12"), "private"),
    (IPv4Network("192.0.0.0/24"), "protocol assignments"),
    (IPv4Network("192.0.2.0/24"), "documentation"),
    (IPv4Network("192.88.99.0/24"), "6to4 relay"),
    (IPv4Network("192.168.0.0/16"), "private"),
    (IPv4Network("198.18.0.0/15"), "benchmarking"),
    (IPv4Network("198.51.100.0/24"), "documentation"),
    (IPv4Network("203.0.113.0/24"), "documentation"),
    (IPv4Network("224.0.0.0/4"), "multicast"),
    (IPv4Network("240.0.0.0/4"), "reserved and broadcast"),
)

_IPV6_GLOBAL_UNICAST = IPv6Network("2000::/3")

# The first match names the reason, so narrow ranges stand before wide ones.
_IPV6_RANGES = (
    (IPv6Network("::/128"), "unspecified"),
    (IPv6Network("::1/128"), "loopback"),
    (IPv6Network("::ffff:0:0/96"), "IPv4-mapped"),
    (IPv6Network("::ffff:0:0:0/96"), "IPv4-translated"),
    (IPv6Network("::/96"), "IPv4-compatible"),
    (IPv6Network("64:ff9b::/96"), "NAT64"),
    (IPv6Network("64:ff9b:1::/48"), "local-use NAT64"),
    (IPv6Network("100::/64"), "discard only"),
    (IPv6Network("100:0:0:1::/64"), "dummy prefix"),
    (IPv6Network("2001::/32"), "Teredo"),
    (IPv6Network("2001::/23"), "protocol assignments"),
    (IPv6Network("2001:db8::/32"), "documentation"),
    (IPv6Network("2002::/16"), "6to4"),
    (IPv6Network("3ffe::/16"), "returned 6bone"),
    (IPv6Network("3fff::/20"), "documentation"),
    (IPv6Network("5f00::/16"), "segment routing"),
    (IPv6Network("fc00::/7"), "unique local"),
    (IPv6Network("fe80::/10"), "link-local"),
    (IPv6Network("fec0::/10"), "site-local"),
    (IPv6Network("ff00::/8"), "multicast"),
)


def refusal(address: str) -> str | None:
    """Say why an address must not be reached; None when it is a public unicast address.

    Takes: one address as text, as a resolver gives it. What is not an address is refused too.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return "not an address"
    if isinstance(parsed, IPv4Address):
        return next((reason for network, reason in _IPV4_RANGES if parsed in network), None)
    return _ipv6_refusal(parsed)


def _ipv6_refusal(address: IPv6Address) -> str | None:
    if address.scope_id is not None:
        return "bound to an interface"
    for network, reason in _IPV6_RANGES:
        if address in network:
            return reason
    return None if address in _IPV6_GLOBAL_UNICAST else "not global unicast"
