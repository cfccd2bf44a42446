"""Who may be reached: https and public by default, exceptions by name, never ourselves (BI 217, 220)."""

from __future__ import annotations

import pytest

from infra.egress.errors import EgressRefused
from infra.egress.policy import EgressPolicy
from infra.egress.urls import parse_url

PUBLIC = "93.184.216.34"

# allow, own, url, address it leads to, refusal (None is allowed)
DECISIONS = [
    ("", "", "https://good.com/", PUBLIC, None),
    ("", "", "http://good.com/", PUBLIC, "egress.https_required"),
    ("", "", "https://good.com/", "10.1.2.3", "egress.address_blocked"),
    ("", "", "https://good.com/", "nonsense", "egress.address_blocked"),
    ("erp.shop", "", "http://erp.shop:81/", "10.1.2.3", None),
    ("erp.shop", "", "http://ERP.shop.:81/", "10.1.2.3", None),
    ("erp.shop", "", "http://sub.erp.shop/", "10.1.2.3", "egress.https_required"),
    ("erp.shop:81", "", "http://erp.shop:81/", "10.1.2.3", None),
    ("erp.shop:81", "", "http://erp.shop:82/", "10.1.2.3", "egress.https_required"),
    ("erp.shop:81", "", "https://erp.shop:82/", "10.1.2.3", "egress.address_blocked"),
    ("10.1.0.0/16", "", "http://any.shop/", "10.1.2.3", None),
    ("10.1.0.0/16", "", "http://any.shop/", "10.2.0.1", "egress.address_blocked"),
    ("10.1.0.0/16", "", "http://any.shop/", PUBLIC, "egress.https_required"),
    ("10.1.0.0/16", "", "https://any.shop/", "::ffff:10.1.2.3", "egress.address_blocked"),
    ("127.0.0.1", "", "http://127.0.0.1:9/", "127.0.0.1", None),
    ("127.0.0.1", "", "http://127.1:9/", "127.0.0.1", None),
    ("127.0.0.1:9", "", "http://127.0.0.1:9/", "127.0.0.1", None),
    ("127.0.0.1:9", "", "https://good.com:9/", "127.0.0.1", "egress.address_blocked"),
    ("[::1]:9", "", "http://[::1]:9/", "::1", None),
    ("::1", "", "http://[::1]:9/", "::1", None),
    ("", "hooks.brand.com", "https://hooks.brand.com/", PUBLIC, "egress.self_connection"),
    ("", "hooks.brand.com", "https://Hooks.Brand.com./", PUBLIC, "egress.self_connection"),
    ("", "hooks.brand.com", "https://hooks.brand.com:8443/", PUBLIC, "egress.self_connection"),
    ("", PUBLIC, "https://customer-domain.com/", PUBLIC, "egress.self_connection"),
    ("a.com", "a.com", "https://a.com/", PUBLIC, "egress.self_connection"),
    ("10.0.0.0/8", "10.0.0.9", "https://a.com/", "10.0.0.9", "egress.self_connection"),
]


@pytest.mark.parametrize(("allow", "own", "url", "address", "code"), DECISIONS)
def test_policy_decides_by_name_then_address(
    allow: str, own: str, url: str, address: str, code: str | None
) -> None:
    policy = EgressPolicy(frozenset(allow.split()), frozenset(own.split()))

    assert _decision(policy, url, address) == code


@pytest.mark.parametrize("entry", ["", "*", "*.shop", "10.0.0.0/99", "host:", "host:x", "a/b"])
def test_entry_that_cannot_be_read_stops_the_start_and_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="is not host:port, host or CIDR"):
        EgressPolicy(frozenset({entry}))


def _decision(policy: EgressPolicy, url: str, address: str) -> str | None:
    target = parse_url(url)
    try:
        policy.check_target(target)
        policy.check_address(target, address)
    except EgressRefused as refused:
        return refused.code
    return None
