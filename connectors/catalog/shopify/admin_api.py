"""One GraphQL call to a Shopify shop: the typed data of the answer, or the outcome it means."""

from __future__ import annotations

import math
from typing import Generic, TypeVar, cast

import msgspec

from connectors.catalog.shopify.documents import PATH, Document
from connectors.sdk.budget import BudgetReport
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import AuthorizationLost, Outcome, Rejected, RetryLater, Unknown
from connectors.sdk.transport import Answer, AnswerLost, Call, NotSent, Transport

T = TypeVar("T", bound=msgspec.Struct)

# Read as a whole by an operator who can act; nothing of the vendor's text is repeated.
_CLOSED = {
    401: "Shopify no longer accepts the access token. Reconnect the shop.",
    402: "Shopify has frozen the shop. Its owner must settle the account.",
    403: "The access token lacks a permission. Reconnect the shop with all permissions.",
    404: "Shopify does not know the shop or no longer serves this API version.",
    423: "Shopify has locked the shop. Its owner must contact Shopify.",
}


class _ThrottleStatus(msgspec.Struct, rename="camel"):
    maximum_available: float = 0.0
    currently_available: float = 0.0
    restore_rate: float = 0.0


class _Cost(msgspec.Struct, rename="camel"):
    requested_query_cost: float = 0.0
    actual_query_cost: float | None = None
    throttle_status: _ThrottleStatus = msgspec.field(default_factory=_ThrottleStatus)


class _Extensions(msgspec.Struct):
    cost: _Cost | None = None


class _ErrorDetail(msgspec.Struct):
    code: str = ""


class _Error(msgspec.Struct):
    extensions: _ErrorDetail | None = None


class _Limits(msgspec.Struct):
    errors: list[_Error] | None = None
    extensions: _Extensions | None = None


class _Envelope(msgspec.Struct, Generic[T]):
    data: T | None = None
    errors: list[_Error] | None = None
    extensions: _Extensions | None = None


async def ask(
    transport: Transport, document: Document, variables: JsonObject, shape: type[T]
) -> T | Outcome:
    """Send one operation; gives its data in `shape`, or what the failure means.

    Rules:  200 with `errors` is a failure. A question may be asked again whatever happened to it;
            a mutation whose answer is lost is Unknown.
    """
    body = {"query": document.text, "operationName": document.name, "variables": variables}
    call = Call(
        method="POST",
        path=PATH,
        headers={"content-type": "application/json", "accept": "application/json"},
        body=msgspec.json.encode(body),
        cost=document.cost,
    )
    try:
        answer = await transport.request(call)
    except NotSent as fault:
        return RetryLater(fault.code, fault.words, fault.after_s)
    except AnswerLost as fault:
        return _unclear(document, fault.words, None)
    return _refusal(answer) or _data(document, answer, shape)


def budget_of(answer: Answer, call: Call) -> BudgetReport | None:
    """Read `extensions.cost`: the bucket of this app and shop, and what the call really cost.

    Source: https://shopify.dev/docs/api/usage/limits
    """
    try:
        limits = msgspec.json.decode(answer.body, type=_Limits)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if limits.extensions is None or limits.extensions.cost is None:
        return None
    cost = limits.extensions.cost
    status, actual = cost.throttle_status, cost.actual_query_cost
    if status.maximum_available <= 0 or status.restore_rate <= 0:
        return None
    return BudgetReport(
        rate_per_s=status.restore_rate,
        burst=status.maximum_available,
        remaining=max(0.0, status.currently_available),
        # A query is charged for all it may return, and the rest given back.
        overpaid=max(0.0, call.cost - actual) if actual is not None else 0.0,
        # Throttled is told with HTTP 200.
        is_refused="THROTTLED" in _codes(limits.errors or []),
    )


def _refusal(answer: Answer) -> Outcome | None:
    status = answer.status
    if status in _CLOSED:
        return AuthorizationLost(_CLOSED[status], status)
    if status == 429:  # noqa: PLR2004 - too many requests
        wait_s = _retry_after_s(answer)
        return RetryLater("target.throttled", "Shopify asks us to slow down.", wait_s, status)
    if status >= 500:  # noqa: PLR2004 - server errors
        words = "Shopify has a passing trouble."
        return RetryLater("target.unavailable", words, _retry_after_s(answer), status)
    if status != 200:  # noqa: PLR2004 - GraphQL answers 200 to everything it understood
        words = f"Shopify refused the request with HTTP {status}."
        return Rejected("target.refused", "", words, status)
    return None


def _retry_after_s(answer: Answer) -> float | None:
    # Shopify gives seconds; a date or nonsense leaves the wait to our own schedule.
    try:
        wait_s = float(answer.headers.get("retry-after", ""))
    except ValueError:
        return None
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None


def _data(document: Document, answer: Answer, shape: type[T]) -> T | Outcome:
    try:
        raw: object = msgspec.json.decode(answer.body, type=_Envelope[shape])  # type: ignore[valid-type]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _unclear(document, "Shopify's answer could not be read.", answer.status)
    envelope = cast("_Envelope[T]", raw)
    if envelope.errors:
        return _graphql_error(document, envelope.errors, envelope.extensions)
    if envelope.data is None:
        return _unclear(document, "Shopify's answer is empty.", answer.status)
    return envelope.data


def _graphql_error(
    document: Document, errors: list[_Error], extensions: _Extensions | None
) -> Outcome:
    codes = _codes(errors)
    if "THROTTLED" in codes:
        wait_s = _restored_in_s(extensions)
        return RetryLater("target.throttled", "Shopify asks us to slow down.", wait_s, 200)
    if "ACCESS_DENIED" in codes:
        return AuthorizationLost(_CLOSED[403], 200)
    if "SHOP_INACTIVE" in codes:
        return AuthorizationLost(_CLOSED[402], 200)
    if "INTERNAL_SERVER_ERROR" in codes:
        return _unclear(document, "Shopify had an internal error.", 200)
    words = f"Shopify does not accept the operation {document.name}. The connector needs an update."
    return Rejected("target.refused", "", words, 200)


def _codes(errors: list[_Error]) -> set[str]:
    return {error.extensions.code for error in errors if error.extensions}


def _restored_in_s(extensions: _Extensions | None) -> float | None:
    """Work out when the bucket holds enough points again, in whole seconds."""
    if extensions is None or extensions.cost is None:
        return None
    cost = extensions.cost
    missing = cost.requested_query_cost - cost.throttle_status.currently_available
    if missing <= 0 or cost.throttle_status.restore_rate <= 0:
        return 1.0
    return float(math.ceil(missing / cost.throttle_status.restore_rate))


def _unclear(document: Document, words: str, status: int | None) -> Outcome:
    if document.text.lstrip().startswith("mutation"):
        return Unknown(words, status)
    return RetryLater("target.no_answer", words, None, status)
