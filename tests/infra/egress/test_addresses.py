"""The address table, address by address (BI 214, 215, 216)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis.strategies import ip_addresses

from infra.egress.addresses import refusal

CLOSED = [
    ("BI212", "0.0.0.0", "this network"),  # noqa: S104 - an address to refuse
    ("BI212", "0.255.255.255", "this network"),
    ("BI216", "10.0.0.0", "private"),
    ("BI216", "10.255.255.255", "private"),
    ("BI214", "100.64.0.1", "carrier-grade NAT"),
    ("BI216", "100.100.100.200", "carrier-grade NAT"),
    ("BI214", "100.127.255.255", "carrier-grade NAT"),
    ("BI216", "127.0.0.1", "loopback"),
    ("BI216", "127.255.255.255", "loopback"),
    ("BI216", "168.63.129.16", "cloud metadata"),
    ("BI216", "169.254.0.0", "link-local and cloud metadata"),
    ("BI216", "169.254.169.254", "link-local and cloud metadata"),
    ("BI216", "169.254.170.2", "link-local and cloud metadata"),
    ("BI216", "169.254.255.255", "link-local and cloud metadata"),
    ("BI216", "172.16.0.0", "private"),
    ("BI216", "172.31.255.255", "private"),
    ("BI214", "192.0.0.0", "protocol assignments"),
    ("BI214", "192.0.0.8", "protocol assignments"),
    ("BI214", "192.0.0.192", "protocol assignments"),
    ("BI214", "192.0.0.255", "protocol assignments"),
    ("BI214", "192.0.2.1", "documentation"),
    ("BI214", "192.88.99.1", "6to4 relay"),
    ("BI216", "192.168.0.0", "private"),
    ("BI216", "192.168.255.255", "private"),
    ("BI214", "198.18.0.0", "benchmarking"),
    ("BI214", "198.19.255.255", "benchmarking"),
    ("BI214", "198.51.100.1", "documentation"),
    ("BI214", "203.0.113.255", "documentation"),
    ("BI215", "224.0.0.1", "multicast"),
    ("BI215", "239.255.255.255", "multicast"),
    ("BI215", "240.0.0.0", "reserved and broadcast"),
    ("BI215", "255.255.255.255", "reserved and broadcast"),
    ("BI216", "::", "unspecified"),
    ("BI216", "::1", "loopback"),
    ("BI215", "::127.0.0.1", "IPv4-compatible"),
    ("BI215", "::8.8.8.8", "IPv4-compatible"),
    ("BI216", "::ffff:127.0.0.1", "IPv4-mapped"),
    ("BI216", "::ffff:8.8.8.8", "IPv4-mapped"),
    ("BI216", "::ffff:a9fe:a9fe", "IPv4-mapped"),
    ("BI216", "::ffff:0:127.0.0.1", "IPv4-translated"),
    ("BI215", "64:ff9b::7f00:1", "NAT64"),
    ("BI215", "64:ff9b::169.254.169.254", "NAT64"),
    ("BI215", "64:ff9b:1::7f00:1", "local-use NAT64"),
    ("BI215", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "local-use NAT64"),
    ("BI215", "64:ff9c::1", "not global unicast"),
    ("BI214", "100::1", "discard only"),
    ("BI214", "100:0:0:1::1", "dummy prefix"),
    ("BI214", "200::1", "not global unicast"),
    ("BI214", "2001::1", "Teredo"),
    ("BI214", "2001:0:7f00:1::", "Teredo"),
    ("BI214", "2001:2::1", "protocol assignments"),
    ("BI214", "2001:10::1", "protocol assignments"),
    ("BI214", "2001:20::1", "protocol assignments"),
    ("BI214", "2001:1ff:ffff::1", "protocol assignments"),
    ("BI214", "2001:db8::1", "documentation"),
    ("BI214", "2002:7f00:1::", "6to4"),
    ("BI214", "2002:a9fe:a9fe::1", "6to4"),
    ("BI214", "3ffe::1", "returned 6bone"),
    ("BI214", "3fff::1", "documentation"),
    ("BI214", "3fff:fff:ffff::1", "documentation"),
    ("BI214", "4000::1", "not global unicast"),
    ("BI214", "5f00::1", "segment routing"),
    ("BI214", "8000::1", "not global unicast"),
    ("BI216", "fc00::1", "unique local"),
    ("BI216", "fd00:ec2::254", "unique local"),
    ("BI216", "fd20:ce::254", "unique local"),
    ("BI216", "fdff:ffff::1", "unique local"),
    ("BI216", "fe80::1", "link-local"),
    ("BI216", "febf::1", "link-local"),
    ("BI214", "fec0::1", "site-local"),
    ("BI214", "feff::1", "site-local"),
    ("BI215", "ff02::1", "multicast"),
    ("BI215", "ff0e::1", "multicast"),
    ("BI216", "::1%lo", "bound to an interface"),
    ("BI216", "fe80::1%eth0", "bound to an interface"),
    ("BI216", "2606:4700::1%eth0", "bound to an interface"),
    ("BI212", "127.1", "not an address"),
    ("BI212", "2130706433", "not an address"),
    ("BI212", "0177.0.0.1", "not an address"),
    ("BI212", "", "not an address"),
    ("BI212", " 8.8.8.8", "not an address"),
    ("BI212", "localhost", "not an address"),
]

PUBLIC = [
    "1.0.0.1",
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2001:db7:ffff::1",
    "2001:db9::1",
    "2003::1",
    "2400:cb00::1",
    "2606:4700:4700::1111",
    "2620:fe::fe",
    "2a00:1450:4001::1",
    "3ffd:ffff::1",
]


@pytest.mark.parametrize(
    ("address", "reason"), [pytest.param(a, r, id=f"{bi}-{a}") for bi, a, r in CLOSED]
)
def test_closed_address_is_refused_with_its_reason(address: str, reason: str) -> None:
    assert refusal(address) == reason


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_allowed_up_to_the_edge_of_every_closed_range(address: str) -> None:
    assert refusal(address) is None


@given(ip_addresses())
def test_whatever_python_holds_for_not_global_is_refused_too(
    address: IPv4Address | IPv6Address,
) -> None:
    if not address.is_global:
        assert refusal(str(address)) is not None
