"""Customer: who it is in which system, what they allowed, and which two records are one person.

Persons are optional in every object. A masked or relay address identifies a sale, never a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from connectors.canonical.checks import Found, Rule, broken_rules
from connectors.canonical.inventory import Moment
from connectors.canonical.order import Address
from connectors.canonical.order_checks import Breach

CustomerType = Literal["person", "company"]
PiiLevel = Literal["full", "masked", "none"]
ConsentState = Literal["granted", "denied", "withdrawn"]
Verdict = Literal["same", "perhaps", "different"]

# Addresses that a marketplace or a mail service hands out in place of the person's own.
# Amazon and Walmart buyers, Apple and Firefox relays. A source that masks otherwise says `is_masked`.
RELAY_DOMAINS = (
    "marketplace.amazon.com", "marketplace.amazon.co.uk", "marketplace.amazon.de",
    "relay.walmart.com", "privaterelay.appleid.com", "mozmail.com",
)  # fmt: skip
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# What allows least comes last.
_STRICTNESS: dict[ConsentState, int] = {"granted": 0, "denied": 1, "withdrawn": 2}


class SystemIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The customer's id in one system; of a loyalty programme with `system` = `loyalty`."""

    system: str
    id: str


class Email(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An address as the source tells it; `is_verified` when the person proved that it is theirs."""

    value: str
    is_masked: bool = False
    is_verified: bool = False


class Consent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person said about one purpose on one channel, when, where, to which wording."""

    purpose: str
    channel: str = "email"
    state: ConsentState
    at: Moment
    source: str = ""
    text_version: str = ""


class CustomerProfile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person or company, as far as the sources tell."""

    customer_id: str
    type: CustomerType = "person"
    identities: tuple[SystemIdentity, ...] = ()
    name: str = ""
    emails: tuple[Email, ...] = ()
    phones: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    tax_ids: tuple[str, ...] = ()
    group: str = ""
    consents: tuple[Consent, ...] = ()
    pii_level: PiiLevel = "full"
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Whether two records are one customer: `same` may be merged, `perhaps` is for a person to say."""

    verdict: Verdict
    reason: str = ""


def match(one: CustomerProfile, other: CustomerProfile) -> Match:
    """Compare two records; the order of the two makes no difference.

    The same loyalty id, or the same address that both have verified, is the same customer. The same
    phone and name is a suggestion. Masked records and addresses match nothing.
    """
    if _loyalty(one) & _loyalty(other):
        return Match("same", "the same loyalty id")
    if not one.pii_level == other.pii_level == "full":
        return Match("different")
    if _verified(one) & _verified(other):
        return Match("same", "the same verified e-mail address")
    phones = set(one.phones) & set(other.phones)
    name = _plain(one.name)
    if phones and name and name == _plain(other.name):
        return Match("perhaps", "the same phone and name")
    return Match("different")


def normalised_email(value: str) -> str:
    """Give an address as it is compared: without spaces around it, in small letters."""
    return value.strip().casefold()


def is_relay(email: Email) -> bool:
    """Say whether an address stands in for the person's own."""
    domain = normalised_email(email.value).rpartition("@")[2]
    return email.is_masked or "*" in email.value or domain in RELAY_DOMAINS


def consents_now(consents: Iterable[Consent]) -> dict[tuple[str, str], ConsentState]:
    """Give what holds for each purpose and channel: the newest word; of one moment, the strictest.

    What nobody said anything about is not in it, and is not allowed.
    """
    newest: dict[tuple[str, str], Consent] = {}
    for each in consents:
        key = (each.purpose, each.channel)
        known = newest.get(key)
        if known is None or _weight(each) > _weight(known):
            newest[key] = each
    return {key: each.state for key, each in newest.items()}


def may_contact(consents: Iterable[Consent], purpose: str, channel: str) -> bool:
    """Say whether a person may be contacted for a purpose: only if that was granted, and still is."""
    return consents_now(consents).get((purpose, channel)) == "granted"


def customer_breaches(customer: CustomerProfile) -> list[Breach]:
    """Give every rule that a customer breaks."""
    return broken_rules(customer, RULES)


def _weight(consent: Consent) -> tuple[datetime, int]:
    return consent.at, _STRICTNESS[consent.state]


def _loyalty(customer: CustomerProfile) -> set[str]:
    return {each.id for each in customer.identities if each.system == "loyalty" and each.id}


def _verified(customer: CustomerProfile) -> set[str]:
    return {
        normalised_email(each.value)
        for each in customer.emails
        if each.is_verified and each.value.strip() and not is_relay(each)
    }


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _one_identity(customer: CustomerProfile) -> Found:
    known: set[SystemIdentity] = set()
    for place, each in enumerate(customer.identities):
        if each in known:
            yield f"/identities/{place}", f"{each.system} names this customer twice."
        known.add(each)


def _phones(customer: CustomerProfile) -> Found:
    for place, phone in enumerate(customer.phones):
        if not _E164.fullmatch(phone):
            yield f"/phones/{place}", "A phone number begins with + and its country."


def _masked(customer: CustomerProfile) -> Found:
    told = any(not is_relay(each) for each in customer.emails) or customer.phones
    if customer.pii_level != "full" and told:
        yield "/pii_level", "A masked customer has an address of their own: one of both is wrong."


def _merged(customer: CustomerProfile) -> Found:
    if customer.merged_into == customer.customer_id:
        yield "/merged_into", "A customer is not merged into themselves."


RULES: tuple[Rule[CustomerProfile], ...] = (
    Rule("C-1", "error", _one_identity),
    Rule("C-2", "warning", _phones),
    Rule("C-3", "warning", _masked),
    Rule("C-4", "error", _merged),
)
