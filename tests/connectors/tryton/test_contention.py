"""What Tryton's refusals mean when another worker was quicker at the same document."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.contention import act, contended, remove, search
from connectors.catalog.tryton.pos_sales import candidates
from connectors.catalog.tryton.settings import read_settings
from connectors.catalog.tryton.stopped import Refused, Stopped
from connectors.lab.scripted import answered
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import Rejected, RetryLater
from connectors.sdk.transport import Answer, Call
from tests.connectors.tryton.real import line, ticket

SETTINGS = {"database": "tryton", "company": 1, "currency": "USD", "taxes": {"0.2": 7}}
MODEL = "sale.point.sale"
SEEN: JsonObject = {"id": 22, "state": "open"}
# Source: trytond 8.2 ir/message.xml `msg_delete_rule_error`, `msg_read_error`.
NOT_ALLOWED = (
    'You are not allowed to delete records "22" of "POS Sale" because of at lease one of those '
    "rules:\nUser in companies"
)
NOT_THERE = 'You are trying to read records "22" of "POS Sale" that don\'t exist.'
BOTH = [NOT_ALLOWED, NOT_THERE]


@dataclass(slots=True)
class InTurn:
    """A transport that gives the planned answers one after the other."""

    answers: list[Answer]
    calls: list[str] = field(default_factory=list)

    async def request(self, call: Call) -> Answer:
        self.calls.append(call.method)
        return self.answers.pop(0)


def tryton(*answers: Answer) -> Tryton:
    return Tryton(InTurn(list(answers)), read_settings(SETTINGS))


def refusal(words: str) -> Answer:
    return answered(400, json.dumps({"status": 400, "message": words}).encode())


def records(*rows: JsonObject) -> Answer:
    return answered(200, json.dumps(rows).encode())


@pytest.mark.parametrize("words", BOTH)
@pytest.mark.parametrize(
    "now", [records(), records({"id": 22, "state": "done"}), refusal(NOT_THERE)]
)
async def test_rival_that_another_worker_removed_or_took_further_is_contention(
    words: str, now: Answer
) -> None:
    with pytest.raises(Stopped) as stopped:
        await remove(tryton(refusal(words), now), MODEL, SEEN)

    assert stopped.value.outcome == contended().outcome
    assert isinstance(stopped.value.outcome, RetryLater)


@pytest.mark.parametrize("words", BOTH)
async def test_rival_that_stands_as_it_was_seen_is_refused_with_trytons_words(words: str) -> None:
    with pytest.raises(Refused) as refused:
        await remove(tryton(refusal(words), records(SEEN)), MODEL, SEEN)

    said = f"Tryton says: {words}"
    assert refused.value.outcome == Rejected("target.refused", "", said, 400)


async def test_rival_that_is_gone_before_it_is_deleted_counts_as_removed() -> None:
    await remove(tryton(answered(404)), MODEL, SEEN)


@pytest.mark.parametrize("words", BOTH)
async def test_button_of_a_record_that_another_worker_removed_is_contention(words: str) -> None:
    with pytest.raises(Stopped) as stopped:
        await act(tryton(refusal(words), records()), MODEL, SEEN, "draft", ("state",))

    assert stopped.value.outcome == contended().outcome


async def test_record_that_vanishes_while_tryton_searches_is_contention() -> None:
    with pytest.raises(Stopped) as stopped:
        await search(tryton(refusal(NOT_THERE)), MODEL, [], ("state",), 10)

    assert stopped.value.outcome == contended().outcome


@pytest.mark.parametrize("resource", [None, ""])
async def test_receipt_whose_document_vanished_is_contention(resource: str | None) -> None:
    sale = ticket(line("A", "1", "5.00"), tenders=(("cash", "5.00"),))
    receipt = {"id": 7, "name": "Till sale", "resource": resource}

    with pytest.raises(Stopped) as stopped:
        await candidates(tryton(records(SEEN), records(receipt)), sale, [])

    assert stopped.value.outcome == contended().outcome


async def test_search_that_is_not_allowed_stays_a_refusal() -> None:
    words = 'You are not allowed to access "POS Sale".'

    with pytest.raises(Refused) as refused:
        await search(tryton(refusal(words)), MODEL, [], ("state",), 10)

    assert refused.value.words == f"Tryton says: {words}"
