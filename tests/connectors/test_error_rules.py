"""Rules for errors and clocks in a manifest: read strictly, and judged against the source."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.canonical.event import ORDER_PLACED
from connectors.lab import check_subject
from connectors.lab.error_checks import said_codes
from connectors.lab.subject import subject_of
from connectors.registry import load, manifest, names
from connectors.sdk.errors import SHARED_RULES, ErrorRule
from connectors.sdk.manifest import Clock, Manifest, load_manifest

RUNBOOKS = Path(__file__).parents[2] / "docs/runbooks"
PLACED_AT = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
ACCEPTED_AT = PLACED_AT + timedelta(minutes=20)

HEAD = """
name = "walmart"
title = "Walmart"
version = "1.0.0"
summary = "A marketplace."
roles = ["marketplace"]
"""
RULE = """
[[errors]]
code = "order.closed"
outcome = "Rejected"
status = 409
class = "duplicate"
schedule = "none"
horizon_h = 24
who = "retailer"
runbook = "held-records"
"""
CLOCK = """
[[clocks]]
name = "acknowledge"
event = "retail.order.placed.v1"
within_s = 14400
words = "Walmart wants every order acknowledged within 4 hours."
source = "https://developer.walmart.com/us-marketplace/docs/acknowledge-orders"
read_on = 2026-11-20
"""


def written(folder: Path, text: str) -> Manifest:
    path = folder / "manifest.toml"
    path.write_text(text, encoding="utf-8")
    return load_manifest(path)


def test_a_rule_and_a_clock_are_read_from_a_manifest(tmp_path: Path) -> None:
    read = written(tmp_path, HEAD + RULE + CLOCK)

    (rule,) = read.errors
    assert (rule.code, rule.error_class, rule.horizon_h) == ("order.closed", "duplicate", 24)
    deadline = read.first_deadline(ORDER_PLACED, PLACED_AT, ACCEPTED_AT)
    assert deadline is not None
    assert (deadline[0], deadline[1].name) == (PLACED_AT + timedelta(hours=4), "acknowledge")
    assert read.first_deadline("retail.till.sale.v1", PLACED_AT, ACCEPTED_AT) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('class = "duplicate"', 'class = "strange"'),
        ('schedule = "none"', 'schedule = "sometimes"'),
        ('outcome = "Rejected"', 'outcome = "Delivered"'),
        ("status = 409", 'status = "409"'),
        ("status = 409", "status = 42"),
        ("horizon_h = 24", "horizon_h = 337"),
        ("horizon_h = 24", "horizon_h = 0"),
        ('who = "retailer"', 'who = "somebody"'),
        ('code = "order.closed"', 'code = "Order Closed"'),
        ('runbook = "held-records"', 'runbook = "../secrets"'),
        ('class = "duplicate"', 'class = "duplicate"\ncolour = "red"'),
    ],
)
def test_a_rule_with_a_wrong_word_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(ValidationError):
        written(tmp_path, HEAD + RULE.replace(old, new))


def test_a_rule_about_everything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="name a code, a status or an outcome"):
        written(tmp_path, f'{HEAD}[[errors]]\nclass = "data"\n')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("within_s = 14400", "within_s = 0"),
        ("https://developer", "see developer"),
        ("2026-11-20", '"last week"'),
        ('words = "Walmart wants every order acknowledged within 4 hours."', 'words = ""'),
    ],
)
def test_a_clock_without_its_source_or_its_time_is_refused(
    tmp_path: Path, old: str, new: str
) -> None:
    with pytest.raises(ValidationError):
        written(tmp_path, HEAD + CLOCK.replace(old, new))


@pytest.mark.parametrize(
    ("counted_from", "start"), [("occurred", PLACED_AT), ("accepted", ACCEPTED_AT)]
)
def test_of_several_clocks_the_one_that_runs_out_first_counts(
    counted_from: Any, start: datetime
) -> None:
    def clock(name: str, hours: int) -> Clock:
        return Clock(
            name=name,
            event=ORDER_PLACED,
            within_s=hours * 3600,
            counted_from=counted_from,
            words="Soon.",
            source="https://example.com/rules",
            read_on=PLACED_AT.date(),
        )

    whole = manifest("http").model_copy(update={"clocks": [clock("ship", 48), clock("ack", 4)]})

    first = whole.first_deadline(ORDER_PLACED, PLACED_AT, ACCEPTED_AT)

    assert first is not None
    assert (first[0], first[1].name) == (start + timedelta(hours=4), "ack")


@pytest.mark.parametrize(
    ("rule", "outcome", "code", "status", "fits"),
    [
        ({"code": "target.busy"}, "RetryLater", "target.busy", None, True),
        ({"code": "target.busy"}, "RetryLater", "target.busy_now", None, False),
        ({"code": "target."}, "RetryLater", "target.busy_now", None, True),
        ({"code": "target."}, "RetryLater", "targets.busy", None, False),
        ({"status": 409}, "Rejected", "any.code", 409, True),
        ({"status": 409}, "Rejected", "any.code", None, False),
        ({"outcome": "Rejected", "status": 409}, "RetryLater", "any.code", 409, False),
    ],
)
def test_a_rule_fits_what_it_names_and_nothing_else(
    rule: dict[str, Any], outcome: str, code: str, status: int | None, fits: bool
) -> None:
    built = ErrorRule.model_validate(rule | {"class": "data"})

    assert built.fits(outcome, code, status) is fits


def test_a_code_without_a_class_is_found_by_the_lab() -> None:
    subject = subject_of("shopify")
    bare = subject.manifest.model_copy(update={"errors": []})

    card = check_subject(replace(subject, manifest=bare))

    (failed,) = card.failed
    assert failed.check == "classes"
    assert failed.reason == "stock.changed_meanwhile has no class: add a row under [[errors]]"


def test_the_lab_finds_codes_in_calls_tables_and_constants() -> None:
    said = said_codes(subject_of("tryton").folder)

    assert {"target.contended", "target.locked", "tender.unmapped", "auth.lost"} <= said
    assert not {"sale.sale", "party.address", "skipped.training"} & said


@pytest.mark.parametrize("name", names())
def test_every_runbook_that_a_rule_names_exists(name: str) -> None:
    rules = (*manifest(name).errors, *SHARED_RULES)

    missing = {rule.runbook for rule in rules if rule.runbook} - {
        path.stem for path in RUNBOOKS.glob("*.md")
    }

    assert missing == set()


def test_a_source_that_can_be_asked_for_one_object_declares_it() -> None:
    able = {name for name in names() if load(name).can_fetch}

    assert able == {name for name in names() if manifest(name).capabilities.get("fetch")}
    assert "shopify" in able
