"""Every connector holds to the suite, and the suite catches the faults it was written for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors import registry
from connectors.catalog.http.connector import HttpConnector
from connectors.lab import Card, check, check_subject, render, write_card
from connectors.lab.subject import Subject, subject_of
from connectors.lab.suite import ROWS
from connectors.sdk.connector import Connector, Dispatch
from connectors.sdk.message import HoldRecord, RawMessage, Reading
from connectors.sdk.outcome import Delivered, Outcome, Rejected, RetryLater, Unknown
from connectors.sdk.transport import Answer, AnswerLost, Call, Transport

MIN_PLANTED = 8


@pytest.mark.parametrize("name", registry.names())
def test_connector_holds_to_the_suite(name: str) -> None:
    card = check(name)

    assert [(result.check, result.reason) for result in card.failed] == []
    assert card.score_0_1 == 1.0


def test_every_row_has_a_name_of_its_own_and_says_why() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert [row.name for row in ROWS if not row.why.endswith(".")] == []


def test_an_unknown_connector_is_named() -> None:
    with pytest.raises(KeyError, match="carrier_pigeon"):
        check("carrier_pigeon")


def test_the_card_is_written_and_drawn(tmp_path: Path) -> None:
    card = planted(manifest={"version": "one"})

    write_card(card, tmp_path / "card.json")

    told = msgspec.json.decode((tmp_path / "card.json").read_bytes())
    assert (told["connector"], told["failed"], told["score_0_1"]) == ("http", 1, 0.9688)
    assert told["results"][0] == {
        "check": "manifest",
        "why": "A connector is found by its manifest.",
        "verdict": "fail",
        "reason": "version 'one' is not like 1.0.0",
    }
    lines = render(card).splitlines()
    assert lines[1] == "manifest        FAIL  version 'one' is not like 1.0.0"
    assert lines[-1] == "97%: 31 hold, 1 fail, 0 do not apply"


def test_a_card_without_applicable_checks_scores_nothing() -> None:
    assert Card("x", "1.0.0", ()).score_0_1 == 0.0


class Bent(HttpConnector):
    """The HTTP connector with one fault, named by the method that a subclass replaces."""

    def bent(self, outcome: Outcome) -> Outcome:
        return outcome

    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        return self.bent(await super().send(dispatch, transport))


class CountsLostAsDone(Bent):
    def bent(self, outcome: Outcome) -> Outcome:
        return Delivered() if isinstance(outcome, Unknown) else outcome


class RetriesLost(Bent):
    def bent(self, outcome: Outcome) -> Outcome:
        lost = isinstance(outcome, Unknown)
        return RetryLater("target.unavailable", "Lost.") if lost else outcome


class ForgetsTheWait(Bent):
    def bent(self, outcome: Outcome) -> Outcome:
        return replace(outcome, after_s=None) if isinstance(outcome, RetryLater) else outcome


class GivesUpOnOutage(Bent):
    def bent(self, outcome: Outcome) -> Outcome:
        is_down = isinstance(outcome, RetryLater) and outcome.status == 503
        return Rejected("target.refused", "", "Down.") if is_down else outcome


class GivesUpOn500(Bent):
    def bent(self, outcome: Outcome) -> Outcome:
        is_broken = isinstance(outcome, RetryLater) and outcome.status == 500
        return Rejected("target.refused", "", "Broken.") if is_broken else outcome


class GivesUpOnUnsent(Bent):
    def bent(self, outcome: Outcome) -> Outcome:
        is_unsent = isinstance(outcome, RetryLater) and outcome.status is None
        return Rejected("target.refused", "", "Unreachable.") if is_unsent else outcome


class CrashesOnOddWaits(Bent):
    def bent(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, RetryLater) and outcome.status == 429:
            return replace(outcome, after_s=float(str(outcome.after_s)))
        return outcome


class GivesUpOn401(Bent):
    def bent(self, outcome: Outcome) -> Outcome:
        is_closed = outcome.status == 401 if not isinstance(outcome, Unknown) else False
        return Rejected("target.refused", "", "Closed.") if is_closed else outcome


class RetriesRefusals(Bent):
    def bent(self, outcome: Outcome) -> Outcome:
        refused = isinstance(outcome, Rejected) and outcome.status == 400
        return RetryLater("target.unavailable", "No.") if refused else outcome


class TakesEvery200(Bent):
    def bent(self, outcome: Outcome) -> Outcome:
        is_200 = isinstance(outcome, Rejected | Unknown) and outcome.status == 200
        return Delivered(status=200) if is_200 else outcome


class Rewriting(HttpConnector):
    """Changes what leaves, on its way to the transport."""

    def rewritten(self, call: Call) -> Call:
        return call

    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        return await super().send(dispatch, _Through(transport, self.rewritten))


class _Through:
    def __init__(self, inner: Transport, rewritten: Callable[[Call], Call]) -> None:
        self.inner, self.rewritten = inner, rewritten

    async def request(self, call: Call) -> Answer:
        return await self.inner.request(self.rewritten(call))


class SendsNoKey(Rewriting):
    def rewritten(self, call: Call) -> Call:
        body = msgspec.json.encode(msgspec.json.decode(call.body) | {"id": "always-the-same"})
        return replace(call, headers={"content-type": "application/json"}, body=body)


class SendsFreshKeys(Rewriting):
    fresh = itertools.count()

    def rewritten(self, call: Call) -> Call:
        key = f"{call.headers['idempotency-key']}-{next(self.fresh)}"
        return replace(call, headers={**call.headers, "idempotency-key": key})


class SendsTwiceAfterLoss(HttpConnector):
    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        first = await super().send(dispatch, transport)
        again = replace(dispatch, effect_key=dispatch.effect_key + "b")
        return await super().send(again, transport) if isinstance(first, Unknown) else first


class RaisesOnLoss(HttpConnector):
    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        outcome = await super().send(dispatch, transport)
        if isinstance(outcome, Unknown):
            raise ConnectionError(outcome.words)
        return outcome


class DoesAnyAction(HttpConnector):
    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        return await super().send(replace(dispatch, action="push"), transport)


class CrashesOnJunk(HttpConnector):
    def read(self, message: RawMessage) -> Reading:
        msgspec.json.decode(message.body)
        return super().read(message)


class HoldsWithoutReason(HttpConnector):
    def read(self, message: RawMessage) -> Reading:
        try:
            return super().read(message)
        except HoldRecord as held:
            raise HoldRecord("bad", held.pointer, "") from held


class RemembersMessages(HttpConnector):
    count = 0

    def read(self, message: RawMessage) -> Reading:
        reading = super().read(message)
        self.count += 1
        return Reading(tuple(replaced(event, str(self.count)) for event in reading.events))


class TakesUnknownForKnown(HttpConnector):
    def read(self, message: RawMessage) -> Reading:
        try:
            return super().read(message)
        except HoldRecord:
            return super().read(subject_of("http").cases[-2].message)


class GivesKeylessEvents(HttpConnector):
    def read(self, message: RawMessage) -> Reading:
        reading = super().read(message)
        return Reading(tuple(msgspec.structs.replace(event, key="") for event in reading.events))


class SwallowsRecords(HttpConnector):
    def read(self, message: RawMessage) -> Reading:
        super().read(message)
        return Reading(skipped="skipped.no_reason")


def replaced(event: Any, label: str) -> Any:
    return msgspec.structs.replace(event, label=label)


PLANTED_CODE: list[tuple[type[Connector], set[str]]] = [
    (CountsLostAsDone, {"lost_answer", "page_in_200", "repeats"}),
    (RetriesLost, {"lost_answer"}),
    (ForgetsTheWait, {"throttled"}),
    (GivesUpOnOutage, {"outage"}),
    (GivesUpOn500, {"server_fault"}),
    (GivesUpOnUnsent, {"unsent"}),
    (CrashesOnOddWaits, {"odd_wait"}),
    (GivesUpOn401, {"unauthorized"}),
    (RetriesRefusals, {"refused"}),
    (TakesEvery200, {"error_in_200", "page_in_200"}),
    (SendsNoKey, {"keys", "repeats"}),
    (SendsFreshKeys, {"keys", "repeats"}),
    (SendsTwiceAfterLoss, {"repeats"}),
    (RaisesOnLoss, {"lost_answer", "page_in_200", "repeats"}),
    (DoesAnyAction, {"unknown_action"}),
    (CrashesOnJunk, {"junk", "cut"}),
    (HoldsWithoutReason, {"reads", "junk", "cut", "unknown_topic"}),
    (RemembersMessages, {"pure"}),
    (TakesUnknownForKnown, {"reads", "junk", "cut", "unknown_topic"}),
    (GivesKeylessEvents, {"stored"}),
    (SwallowsRecords, {"reads"}),
]
CLOCK = {
    "name": "acknowledge",
    "event": "retail.order.placed.v1",
    "within_s": 14_400,
    "words": "Every order has to be acknowledged within 4 hours.",
    "source": "https://example.com/rules",
    "read_on": "2026-11-20",
}
PLANTED_MANIFEST: list[tuple[dict[str, Any], set[str]]] = [
    ({"name": "https"}, {"manifest"}),
    ({"version": "1"}, {"manifest"}),
    ({"roles": []}, {"manifest"}),
    ({"reads": ["retail.order.mislaid.v1"]}, {"events", "stored"}),
    ({"secrets": {}}, {"secrets"}),
    ({"vendor_versions": [{"name": "1", "sunset": "next June"}]}, {"sunsets"}),
    ({"quota": {}}, {"quota"}),
    ({"webhook": {"scheme": "standard_webhooks"}}, {"signed"}),
    ({"errors": [{"code": "target.flooded", "class": "transient"}]}, {"rules"}),
    ({"errors": [{"status": 500, "class": "transient"}] * 2}, {"rules"}),
    ({"clocks": [CLOCK | {"event": "retail.order.mislaid.v1"}]}, {"clocks"}),
]


def planted(code: type[Connector] = HttpConnector, manifest: dict[str, Any] | None = None) -> Card:
    """Try the HTTP folder with other code, or other words in its manifest."""
    subject = subject_of("http")
    told = subject.manifest.model_dump() | (manifest or {})
    changed = type(subject.manifest).model_validate(told)
    return check_subject(replace(subject, manifest=changed, connector=code(changed)))


def found(card: Card) -> set[str]:
    return {result.check for result in card.failed}


@pytest.mark.parametrize(("code", "checks"), PLANTED_CODE, ids=lambda v: getattr(v, "__name__", ""))
def test_a_fault_planted_in_the_code_is_caught(code: type[Connector], checks: set[str]) -> None:
    assert found(planted(code)) == checks


@pytest.mark.parametrize(("manifest", "checks"), PLANTED_MANIFEST)
def test_a_fault_planted_in_the_manifest_is_caught(
    manifest: dict[str, Any], checks: set[str]
) -> None:
    assert found(planted(manifest=manifest)) == checks


def test_a_folder_without_papers_is_caught(tmp_path: Path) -> None:
    folder = tmp_path / "http"
    folder.mkdir()
    subject = replace(subject_of("http"), folder=folder, cases=())

    card = check_subject(subject)

    assert found(card) == {"setup", "fixtures", "rules"}


def test_a_target_that_cannot_be_tried_is_a_fault_and_not_a_pass() -> None:
    subject = replace(subject_of("http"), send_settings={"*": {"path": "nowhere"}})

    reasons = {result.check: result.reason for result in check_subject(subject).failed}

    assert reasons["throttled"] == (
        "push of retail.order.placed.v1 sends nothing (Rejected(settings.invalid));"
        " give its settings in send.json"
    )
    assert {"outage", "unauthorized", "lost_answer", "keys", "repeats"} < set(reasons)


def test_each_planted_fault_is_found_by_at_least_one_row_and_most_rows_find_one() -> None:
    caught = set().union(*(checks for _, checks in (*PLANTED_CODE, *PLANTED_MANIFEST)))

    assert len(PLANTED_CODE) + len(PLANTED_MANIFEST) >= MIN_PLANTED
    # Papers and classes have their own tests; signatures are checked by the SDK and its tests.
    assert {row.name for row in ROWS} - caught == {
        *("setup", "fixtures", "forged", "stale", "classes"),
    }


def test_a_subject_keeps_nothing_between_runs() -> None:
    subject: Subject = subject_of("http")

    assert check_subject(subject) == check_subject(subject)


def test_a_lost_answer_raised_through_is_taken_as_the_engine_takes_it() -> None:
    class LetsThrough(HttpConnector):
        async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
            outcome = await super().send(dispatch, transport)
            if isinstance(outcome, Unknown) and outcome.status is None:
                raise AnswerLost(outcome.words)
            return outcome

    assert found(planted(LetsThrough)) == set()
