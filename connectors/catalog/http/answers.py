"""What a target's HTTP answer means, from a table of statuses.

Nothing of its text is repeated, unless the connection names the field whose words people may see.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    NotYet,
    Outcome,
    Rejected,
    RetryLater,
    Unknown,
)
from connectors.sdk.transport import Answer

MAX_REFERENCE_CHARACTERS = 200
MAX_WORDS_CHARACTERS = 160
# RFC 4918 section 11.4: it cannot be done, as something else was not done.
FAILED_DEPENDENCY = 424
# RFC 9110 section 10.2.3: seconds are digits; more of them than this is nonsense. Some write 2.0.
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?", re.ASCII)
_POINTER = re.compile(r"(?:/[!-.0-~]{0,64}){1,16}")


def outcome_of(
    answer: Answer, error_field: str = "", parent: str = "", words_field: str = ""
) -> Outcome:
    """Say what an answer means.

    `error_field`: JSON pointer of the field by which the target names an error in an answer of 200.
    `words_field`: JSON pointer of the field in which it says to people why it refuses.
    `parent`: id of the order that must be there first, at the source of what was sent.
    """
    if answer.status == FAILED_DEPENDENCY:
        words = "The target waits for something else first: the order that this belongs to."
        return NotYet(parent, words, answer.status)
    by_status = _BY_STATUS.get(answer.status) or _BY_HUNDRED.get(answer.status // 100)
    if answer.status // 100 == 2:  # noqa: PLR2004 - success, unless its body says otherwise
        return _success(answer, error_field)
    if by_status is None:
        return Unknown(f"The target answered HTTP {answer.status}, which ends no call.")
    outcome = by_status(answer)
    if words_field and isinstance(outcome, Rejected):
        return _in_its_words(outcome, _at(_body(answer), words_field))
    return outcome


def retry_after_s(answer: Answer) -> float | None:
    """Read `retry-after` in seconds; a date counts from the answer's own `date`, nonsense is None."""
    value = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        wanted = parsedate_to_datetime(value).replace(tzinfo=UTC)
        told = parsedate_to_datetime(answer.headers.get("date", "")).replace(tzinfo=UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return max(0.0, (wanted - told).total_seconds())


def reference_in(answer: Answer) -> str:
    """Read the target's own id from an answer's body; empty when it names none."""
    return _reference(_body(answer))


def _success(answer: Answer, error_field: str) -> Outcome:
    body = _body(answer)
    if error_field and body is None and answer.body:
        words = "The target answered that all is well, but its answer cannot be read."
        return Unknown(words, answer.status)
    if error_field and _at(body, error_field):
        words = "The target answered 200 and names an error in it. See its answer, then release it."
        return Rejected("target.error_in_answer", "", words, answer.status)
    return Delivered(_reference(body), answer.status)


def _conflict(answer: Answer) -> Outcome:
    return Duplicate(_reference(_body(answer)), answer.status)


def _closed(answer: Answer) -> Outcome:
    words = "The target no longer accepts our signature. Exchange the signing secret anew."
    return AuthorizationLost(words, answer.status)


def _gone(answer: Answer) -> Outcome:
    words = "The target has nothing at this address. Correct the base address or the path."
    return Rejected("target.gone", "", words, answer.status)


def _redirect(answer: Answer) -> Outcome:
    words = "The target sends us to another address, which we never follow. Enter the new address."
    return Rejected("target.redirect", "", words, answer.status)


def _refused(answer: Answer) -> Outcome:
    words = f"The target refused this record (HTTP {answer.status}). Correct it, then release it."
    return Rejected("target.refused", _fault_pointer(answer), words, answer.status)


def _in_its_words(outcome: Rejected, told: Any) -> Rejected:
    if not isinstance(told, str) or not told.isprintable() or not told.strip():
        return outcome
    return replace(outcome, words=f'{outcome.words} It says: "{told[:MAX_WORDS_CHARACTERS]}"')


def _later(code: str, words: str) -> Callable[[Answer], Outcome]:
    return lambda answer: RetryLater(code, words, retry_after_s(answer), answer.status)


def _fault_pointer(answer: Answer) -> str:
    """Take the first field at fault from a problem document (RFC 9457), if it is a JSON pointer."""
    told = _at(_body(answer), "/errors/0/pointer")
    pointer = told.removeprefix("#") if isinstance(told, str) else ""
    return pointer if _POINTER.fullmatch(pointer) else ""


def _reference(body: JsonObject | None) -> str:
    told = _at(body, "/id")
    if isinstance(told, bool) or not isinstance(told, str | int):
        return ""
    shown = str(told)[:MAX_REFERENCE_CHARACTERS]
    return shown if shown.isprintable() else ""


def _body(answer: Answer) -> JsonObject | None:
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _at(body: Any, pointer: str) -> Any:
    found = body
    for step in pointer.removeprefix("/").split("/"):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


_slow_down = _later("target.throttled", "The target asks us to slow down.")
_trouble = _later("target.unavailable", "The target has a passing trouble.")

_BY_STATUS: dict[int, Callable[[Answer], Outcome]] = {
    401: _closed,
    403: _closed,
    404: _gone,
    408: _trouble,
    409: _conflict,
    410: _gone,
    425: _trouble,
    429: _slow_down,
    503: _trouble,
}
_BY_HUNDRED: dict[int, Callable[[Answer], Outcome]] = {3: _redirect, 4: _refused, 5: _trouble}
