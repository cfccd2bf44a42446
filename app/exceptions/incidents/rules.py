"""What each class of error means for an incident, as one table: titles, severity, causes, next step.

Words name the system as `{system}`, what is concerned as `{what}` and when it began as `{since}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.connections.changes import ChangeKind
from app.deliveries.policy import policy_of_code


@dataclass(frozen=True, slots=True)
class ClassRules:
    """What follows from a class of error.

    `fits`: how well a kind of change explains it, 0 to 1; a kind that is missing explains nothing.
    `is_whole_connection`: every record of the connection shares the cause, whatever its code.
    """

    title: str
    next_step: str
    no_change: str
    severity: int = 1
    fits: Mapping[ChangeKind, float] = field(default_factory=dict)
    runbook: str = "held-records"
    is_whole_connection: bool = False


_CONTENT_FITS: dict[ChangeKind, float] = {
    "mapping": 1.0,
    "release": 0.8,
    "vendor_api": 0.8,
    "flow": 0.7,
    "connection": 0.5,
}
_NO_CHANGE = "No change of ours came before."

RULES: dict[str, ClassRules] = {
    "transient": ClassRules(
        "{system} has not answered since {since}; {what} wait",
        "Ask whoever runs {system} whether it is down. What waits goes out by itself as soon as it"
        " answers; nothing is lost.",
        f"{_NO_CHANGE} The other system stopped answering.",
        severity=1,
        fits={"connection": 1.0, "vendor_api": 0.8},
        runbook="breaker-open",
        is_whole_connection=True,
    ),
    "auth": ClassRules(
        "{system} has not let us in since {since}; {what} wait",
        "Ask the owner of {system} to renew the sign-in. What waits goes out by itself afterwards.",
        f"{_NO_CHANGE} The other system withdrew the sign-in or a right.",
        severity=2,
        fits={"credential": 1.0, "connection": 0.7, "vendor_api": 0.4},
        runbook="authorization-lost",
        is_whole_connection=True,
    ),
    "rate": ClassRules(
        "{system} takes fewer records than come in; {what} wait",
        "Nothing is lost and the speed adapts by itself. If it lasts, ask {system} for a higher limit.",
        f"{_NO_CHANGE} More came in than the other system takes.",
        severity=1,
        fits={"flow": 0.8, "vendor_api": 0.8, "connection": 0.6},
        runbook="limit-reached",
        is_whole_connection=True,
    ),
    "data": ClassRules(
        "{system} cannot take {what}: {why}",
        "Look at one of the records. Correct the rule or the source once, then send all of them again.",
        f"{_NO_CHANGE} The records themselves differ from those before.",
        severity=1,
        fits=_CONTENT_FITS,
        runbook="records-refused",
    ),
    "contract": ClassRules(
        "{what} do not fit what is agreed with {system}: {why}",
        "Look at one of the records. Correct the rule, the settings or the source once, then send all"
        " of them again.",
        f"{_NO_CHANGE} The records or the other system differ from before.",
        severity=2,
        fits={**_CONTENT_FITS, "connection": 0.8},
        runbook="records-refused",
    ),
    "dependency": ClassRules(
        "{what} for {system} wait for a record that has not come",
        "Look for the record that must come first; when it arrives, release what waits for it.",
        f"{_NO_CHANGE} A record that must come first is missing.",
        severity=1,
        fits={"flow": 0.8, "mapping": 0.6, "connection": 0.4, "release": 0.4},
        runbook="record-missing",
    ),
    "duplicate": ClassRules(
        "{system} has other content for {what} already",
        "Compare both, then release what is right and discard the other.",
        f"{_NO_CHANGE} The same record was told in two ways.",
        severity=1,
        fits={"flow": 0.7, "connection": 0.7, "mapping": 0.6, "release": 0.4},
        runbook="held-records",
    ),
    "unknown": ClassRules(
        "It is not known whether {system} has booked {what}",
        "Look in {system} whether the records are there, then release or discard them.",
        f"{_NO_CHANGE} The answer of the other system was lost.",
        severity=2,
        fits={"connection": 0.6, "vendor_api": 0.6},
        runbook="outcome-unknown",
    ),
}
_USUAL = "data"

# Where the code says more than its class; a code, or an area with its point.
_OWN_FAULT = "A fault of ours stops {what} for {system}"
_TITLES: dict[str, str] = {
    "worker.": _OWN_FAULT,
    "connector.": _OWN_FAULT,
    "event.unreadable": _OWN_FAULT,
    "connection.": "{system} is not fully set up; {what} wait",
    "settings.": "{system} is not fully set up; {what} wait",
    "flow.": "{what} for {system} wait for a flow that is switched off",
    "pci.": "{what} from {system} contain a card number and are sent nowhere",
}
# Where a source sent what cannot be used, no target has refused anything yet.
_SOURCE_TITLES: dict[str, str] = {
    "data": "{what} from {system} cannot be used: {why}",
    "contract": "{what} from {system} are not as agreed: {why}",
    "duplicate": "{system} sent {what} again with other content",
}
_RUNBOOKS: dict[str, str] = {"worker.": "worker-crashed"}

# Why records are not taken, in words that finish "...: {why}".
_REASONS: dict[str, str] = {
    "sku.unknown": "the article is not known there",
    "sku.ambiguous": "several articles have the same number there",
    "location.unmapped": "no place there is set for the store",
    "location.unknown": "the place is not known there",
    "currency.differs": "its books are kept in another currency",
    "order.currency_differs": "two currencies in one sale",
    "order.totals_differ": "the parts do not come to the total",
    "tax.differs": "it computes another tax",
    "tender.unmapped": "a way of paying is not set up there",
    "tender.unknown": "a way of paying is not known",
    "pci.pan_found": "they contain a card number",
    "time.zone_missing": "a time has no time zone",
    "stock.not_stocked": "the article is not stocked there",
    "quantity.range": "a quantity is out of range",
    "price.negative": "a price is negative",
}
_USUAL_REASON = "a value is missing or wrong"


def rules_of(error_class: str) -> ClassRules:
    """Give what follows from a class; an unknown one is treated as wrong data."""
    return RULES.get(error_class) or RULES[_USUAL]


def class_of(error_class: str, code: str) -> str:
    """Give the class of a record, from its code where none was stored.

    A call that was never answered is a silent system; only where somebody has to find out what
    happened there is the class `unknown` kept.
    """
    found = error_class or policy_of_code(code).error_class
    return "transient" if found == "unknown" and code != "outcome.unknown" else found


def title_of(error_class: str, code: str, *, is_from_source: bool = False) -> str:
    """Give the pattern of a title: the code's own, or its class's, seen from the source or target."""
    own = _of_code(_TITLES, code)
    of_source = _SOURCE_TITLES.get(error_class, "") if is_from_source else ""
    return own or of_source or rules_of(error_class).title


def runbook_of(error_class: str, code: str) -> str:
    """Name the page of docs/runbooks: the code's own, or its class's."""
    return _of_code(_RUNBOOKS, code) or rules_of(error_class).runbook


def reason_of(code: str) -> str:
    """Say why records of a code are not taken, without technics."""
    return _REASONS.get(code, _USUAL_REASON)


def _of_code(table: Mapping[str, str], code: str) -> str:
    return table.get(code) or table.get(code.partition(".")[0] + ".", "")
