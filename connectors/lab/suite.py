"""The suite: one row per check, run on one connector or on all; a crash of a check is its failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.lab import (
    error_checks,
    folder_checks,
    reading_checks,
    sending_checks,
    webhook_checks,
)
from connectors.lab.card import Card, Result
from connectors.lab.findings import DoesNotApply, Fails, Finding, Holds
from connectors.lab.subject import Subject, subject_of


@dataclass(frozen=True, slots=True)
class Row:
    """One check: its name, why it matters to a shop, and the function that tries it."""

    name: str
    why: str
    run: Callable[[Subject], Finding]


ROWS: tuple[Row, ...] = (
    Row("manifest", "A connector is found by its manifest.", folder_checks.manifest_is_whole),
    Row("events", "A flow offers only what exists.", folder_checks.events_are_known),
    Row("secrets", "People are asked for every secret.", folder_checks.secrets_are_declared),
    Row("sunsets", "An ending version is announced.", folder_checks.sunsets_are_days),
    Row("quota", "Limits are the vendor's, not a guess.", folder_checks.quota_has_source),
    Row("classes", "Every trouble has its next step.", error_checks.every_code_has_a_class),
    Row("rules", "No rule is about nothing.", error_checks.error_rules_are_about_real_codes),
    Row("clocks", "A vendor's deadline is kept.", error_checks.clocks_are_on_known_events),
    Row("setup", "A partner can connect it alone.", folder_checks.setup_is_written),
    Row("fixtures", "Reading is tried before a shop does.", folder_checks.fixtures_exist),
    Row("reads", "Fixtures become what they say.", reading_checks.fixtures_read_as_told),
    Row("pure", "A replay gives the same events.", reading_checks.reading_is_pure),
    Row("stored", "The book keeps events exactly.", reading_checks.events_survive_storage),
    Row("cut", "Half a record is never booked.", reading_checks.cut_bodies_are_held),
    Row("unknown_topic", "Nothing is taken for another.", reading_checks.unknown_topics_are_held),
    Row("junk", "One bad record stops no other.", reading_checks.junk_is_held),
    Row("signed", "The vendor's webhooks come in.", webhook_checks.signed_webhooks_open),
    Row("forged", "Nobody else's come in.", webhook_checks.forged_webhooks_stay_outside),
    Row("stale", "A recording opens nothing.", webhook_checks.old_webhooks_stay_outside),
    Row("throttled", "A busy target is left alone.", sending_checks.throttling_waits),
    Row("odd_wait", "A confused target is left alone.", sending_checks.odd_waits_are_harmless),
    Row("outage", "An outage loses nothing.", sending_checks.outages_wait),
    Row("server_fault", "A passing fault loses nothing.", sending_checks.server_faults_wait),
    Row("unauthorized", "A lost right stops at once.", sending_checks.lost_rights_stop),
    Row("refused", "A refusal goes to a person.", sending_checks.refusals_are_final),
    Row("lost_answer", "Nothing is booked twice.", sending_checks.lost_answers_are_unknown),
    Row("unsent", "What never left is sent.", sending_checks.unsent_calls_wait),
    Row("error_in_200", "A no is not a yes.", sending_checks.errors_in_200_are_seen),
    Row("page_in_200", "A log-in page is not a yes.", sending_checks.pages_in_200_are_seen),
    Row("keys", "A target can know a repeat.", sending_checks.keys_are_handed_on),
    Row("unknown_action", "No action is another.", sending_checks.unknown_actions_are_refused),
    Row("repeats", "A repeat is done once.", sending_checks.repeats_have_one_effect),
)


def check(name: str) -> Card:
    """Try one connector of the catalogue; raises KeyError for an unknown name.

    Calls nothing outside this process. Must not run inside an event loop.
    """
    return check_subject(subject_of(name))


def check_subject(subject: Subject) -> Card:
    """Try a connector that is on the bench already."""
    results = tuple(_result(row, subject) for row in ROWS)
    return Card(subject.manifest.name, subject.manifest.version, results)


def _result(row: Row, subject: Subject) -> Result:
    match _found(row, subject):
        case Holds():
            return Result(row.name, row.why, "pass")
        case Fails(reason=reason):
            return Result(row.name, row.why, "fail", reason)
        case DoesNotApply(reason=reason):
            return Result(row.name, row.why, "not_applicable", reason)


def _found(row: Row, subject: Subject) -> Finding:
    try:
        return row.run(subject)
    except Exception as fault:  # noqa: BLE001 - a connector's crash is what the suite looks for
        return Fails(f"it raised {type(fault).__name__}: {fault}")
