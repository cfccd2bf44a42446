"""What a process takes for itself: what is named, never this machine's own addresses by default."""

from __future__ import annotations

import pytest

from infra.egress.errors import EgressRefused
from infra.egress.own import own_hosts, policy_of
from infra.egress.urls import parse_url
from infra.settings import EgressSettings, WebSettings

PUBLIC = "93.184.216.34"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EGRESS_ALLOW", "TILLWIRE_OWN_HOSTS", "TILLWIRE_ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_is_ourselves_where_nothing_is_named() -> None:
    assert own_hosts(EgressSettings(), WebSettings()) == frozenset()


def test_hosts_that_are_answered_for_are_ourselves_but_not_this_machine_or_patterns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = "hub.example,*.shops.example,localhost,127.0.0.1,[::1],127.9.9.9"
    monkeypatch.setenv("TILLWIRE_ALLOWED_HOSTS", named)

    assert own_hosts(EgressSettings(), WebSettings()) == {"hub.example"}


def test_named_own_hosts_replace_those_that_are_answered_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TILLWIRE_ALLOWED_HOSTS", "hub.example")
    monkeypatch.setenv("TILLWIRE_OWN_HOSTS", "proxy.example,10.0.0.0/8")

    assert own_hosts(EgressSettings(), WebSettings()) == {"proxy.example", "10.0.0.0/8"}


def test_the_policy_of_a_process_refuses_its_own_hosts_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EGRESS_ALLOW", "127.0.0.1")
    monkeypatch.setenv("TILLWIRE_ALLOWED_HOSTS", "hub.example,127.0.0.1")
    policy = policy_of(EgressSettings(), WebSettings())

    with pytest.raises(EgressRefused, match="one of our own hosts"):
        policy.check_target(parse_url("https://hub.example/hooks/x"))
    for url, address in (
        ("https://erp.example/", PUBLIC),
        ("http://127.0.0.1:8081/admin", "127.0.0.1"),
    ):
        policy.check_target(parse_url(url))
        policy.check_address(parse_url(url), address)


def test_an_entry_that_cannot_be_read_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TILLWIRE_OWN_HOSTS", "hub.example:https")

    with pytest.raises(SystemExit, match=r"TILLWIRE_OWN_HOSTS is not usable: 'hub.example:https'"):
        policy_of(EgressSettings(), WebSettings())
