"""What Tryton's answers mean: a status table, its own words for refusals, nothing guessed."""

from __future__ import annotations

import json

from connectors.catalog.tryton.stopped import Gone, Refused, Stopped
from connectors.sdk.outcome import AuthorizationLost, Outcome, Rejected, RetryLater, Unknown
from connectors.sdk.transport import Answer

WORDS_LIMIT = 400

# Tryton runs each call in one transaction: whatever it answers itself with an error was rolled back.
# Source: trytond 8.2 protocols/wrappers.py `with_transaction`, protocols/jsonrpc.py `response`.
_RETRY = {
    423: ("target.locked", "Another user is changing the same record in Tryton."),
    429: ("target.too_fast", "Tryton asks for fewer calls."),
    500: ("target.error", "Tryton failed inside; nothing was booked."),
    503: ("target.unavailable", "Tryton is not available."),
}


def check(answer: Answer, *, changes: bool) -> None:
    """Return for a good answer; else raise Stopped, Refused or Gone with the outcome it means.

    `changes` tells whether the call may have changed something: an answer of a gateway in front of
    Tryton (502, 504) then leaves open whether it did.
    """
    status = answer.status
    if status < 300:  # noqa: PLR2004 - HTTP
        return
    if status == 404:  # noqa: PLR2004
        words = "Tryton has no such record or database."
        raise Gone(RetryLater("target.not_found", words, status=status))
    if status in {400, 409, 422}:
        raise Refused(Rejected("target.refused", "", _words(answer), status))
    raise Stopped(_outcome(answer, changes=changes))


def unreadable(answer: Answer, *, changes: bool) -> Stopped:
    """Say what a good status with a body that is no record of Tryton's means."""
    words = "Tryton's answer is none that Tryton gives, or it broke off."
    if changes:
        return Stopped(Unknown(words, answer.status))
    return Stopped(RetryLater("target.unreadable", words, status=answer.status))


def _outcome(answer: Answer, *, changes: bool) -> Outcome:
    status = answer.status
    if status in {401, 403}:
        return AuthorizationLost(
            "Tryton no longer accepts the key of the integration user.", status
        )
    if status in _RETRY:
        code, words = _RETRY[status]
        return RetryLater(code, words, _retry_after_s(answer), status)
    if changes:
        return Unknown(f"Something in front of Tryton answered {status}.", status)
    return RetryLater(
        "target.gateway", f"Something in front of Tryton answered {status}.", None, status
    )


def _words(answer: Answer) -> str:
    try:
        said = json.loads(answer.body)
        message = f"{said['message']} {said.get('description') or ''}".strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        message = "Tryton refused the record without saying why."
    return f"Tryton says: {message[:WORDS_LIMIT]}"


def _retry_after_s(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None
