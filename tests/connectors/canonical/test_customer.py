"""Customers: who is the same, and what they allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.customer import (
    Consent,
    CustomerProfile,
    Email,
    SystemIdentity,
    consents_now,
    customer_breaches,
    match,
    may_contact,
)

AT = datetime(2026, 11, 20, tzinfo=UTC)
ANNA = Email(value="Anna@Example.com ", is_verified=True)
RELAY = Email(value="x7k@marketplace.amazon.com", is_verified=True)

emails = st.builds(
    Email,
    value=st.sampled_from(["a@x.example", "A@X.example", "b@x.example", "", RELAY.value]),
    is_masked=st.booleans(),
    is_verified=st.booleans(),
)
profiles = st.builds(
    CustomerProfile,
    customer_id=st.just("1"),
    name=st.sampled_from(["", "Anna Berg", "anna  berg", "Bo"]),
    emails=st.lists(emails, max_size=2).map(tuple),
    phones=st.lists(st.sampled_from(["+4915112345678", "+12025550123"]), max_size=2).map(tuple),
    pii_level=st.sampled_from(["full", "masked", "none"]),
    identities=st.lists(
        st.builds(
            SystemIdentity,
            system=st.sampled_from(["loyalty", "shop"]),
            id=st.sampled_from(["1", "2"]),
        ),
        max_size=2,
    ).map(tuple),
)
consents = st.builds(
    Consent,
    purpose=st.sampled_from(["news", "offers"]),
    state=st.sampled_from(["granted", "denied", "withdrawn"]),
    at=st.integers(0, 3).map(lambda hours: AT + timedelta(hours=hours)),
)


def profile(**fields: Any) -> CustomerProfile:
    return CustomerProfile(customer_id="1", **fields)


def consent(state: Any, hours: int = 0) -> Consent:
    return Consent(purpose="news", state=state, at=AT + timedelta(hours=hours))


def loyal(number: str) -> SystemIdentity:
    return SystemIdentity(system="loyalty", id=number)


MATCHES: dict[str, tuple[CustomerProfile, CustomerProfile, str]] = {
    "one verified address, written differently": (
        profile(emails=(ANNA,)),
        profile(emails=(Email(value="anna@example.com", is_verified=True),)),
        "same",
    ),
    "an address that one has not verified": (
        profile(emails=(ANNA,)),
        profile(emails=(Email(value="anna@example.com"),)),
        "different",
    ),
    "one loyalty id": (
        profile(identities=(loyal("77"),)),
        profile(identities=(loyal("77"),), name="A. Berg"),
        "same",
    ),
    "one id in a shop, which says nothing of another shop": (
        profile(identities=(SystemIdentity(system="web", id="77"),)),
        profile(identities=(SystemIdentity(system="other", id="77"),)),
        "different",
    ),
    "one phone and name": (
        profile(name="Anna Berg", phones=("+4915112345678",)),
        profile(name="anna  berg", phones=("+4915112345678",)),
        "perhaps",
    ),
    "one phone, two names": (
        profile(name="Anna Berg", phones=("+4915112345678",)),
        profile(name="Bo Berg", phones=("+4915112345678",)),
        "different",
    ),
    "one relay address": (profile(emails=(RELAY,)), profile(emails=(RELAY,)), "different"),
}


@pytest.mark.parametrize("case", MATCHES)
def test_two_records_match_by(case: str) -> None:
    one, other, verdict = MATCHES[case]

    assert match(one, other).verdict == verdict


@given(profiles, profiles)
def test_whoever_is_asked_first_the_answer_is_the_same(
    one: CustomerProfile, other: CustomerProfile
) -> None:
    assert match(one, other) == match(other, one)


@given(profiles, profiles)
def test_a_masked_address_never_makes_two_records_one(
    one: CustomerProfile, other: CustomerProfile
) -> None:
    told = match(one, other)

    if "masked" in (one.pii_level, other.pii_level):
        assert told.verdict == "different" or told.reason == "the same loyalty id"
    if told.reason == "the same verified e-mail address":
        shared = [each for each in one.emails if each.is_verified and not each.is_masked]
        assert any(each.value != RELAY.value for each in shared)


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ([], False),
        ([consent("granted")], True),
        ([consent("granted"), consent("withdrawn", 1)], False),
        ([consent("withdrawn"), consent("granted", 1)], True),
        ([consent("granted"), consent("denied")], False),
    ],
)
def test_the_newest_word_holds_and_of_one_moment_the_strictest(
    said: list[Consent], allowed: bool
) -> None:
    assert may_contact(said, "news", "email") is allowed


@given(st.lists(consents, max_size=6), st.randoms(use_true_random=False))
def test_consents_hold_alike_in_whatever_order_and_how_often_they_are_told(
    said: list[Consent], randomly: Any
) -> None:
    mixed = said + said
    randomly.shuffle(mixed)

    assert consents_now(mixed) == consents_now(said)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"identities": (loyal("7"), loyal("7"))}, "C-1"),
        ({"phones": ("0151 12345678",)}, "C-2"),
        ({"pii_level": "masked", "emails": (ANNA,)}, "C-3"),
        ({"merged_into": "1"}, "C-4"),
    ],
)
def test_every_rule_of_a_customer_is_noticed(fields: dict[str, Any], rule: str) -> None:
    assert [breach.rule for breach in customer_breaches(profile(**fields))] == [rule]
