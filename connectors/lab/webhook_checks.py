"""Checks on webhooks: the right signature opens, everything else stays outside."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator

from connectors.lab.findings import DoesNotApply, Finding, verdict
from connectors.lab.subject import Subject
from connectors.sdk.manifest import Webhook
from connectors.sdk.signatures import WINDOW_S, Refused, Verified, sign_standard, verify

_NOW_S = 1_795_788_000
_BODY = b'{"id":"1001","total":"52.92"}'
# Real in form only: they open nothing.
_SECRET = "whsec_" + base64.b64encode(b"the lab signs with this key here").decode()
_OTHER = "whsec_" + base64.b64encode(b"another tenant signs with this!!").decode()


def signed_webhooks_open(subject: Subject) -> Finding:
    """What the vendor signs is taken, with its id and topic."""
    return _signed(subject, _opening_faults)


def forged_webhooks_stay_outside(subject: Subject) -> Finding:
    """Every flipped bit of body or signature, another's secret, and no signature are refused."""
    return _signed(subject, _forgery_faults)


def old_webhooks_stay_outside(subject: Subject) -> Finding:
    """A recorded webhook opens nothing after the window, where the scheme signs a time."""
    if subject.manifest.webhook.scheme != "standard_webhooks":
        return DoesNotApply("its signature carries no time")
    return _signed(subject, _age_faults)


def _signed(subject: Subject, faults: Callable[[Webhook], Iterator[str]]) -> Finding:
    if "webhook" not in subject.manifest.receives:
        return DoesNotApply("it receives no webhooks")
    if subject.manifest.webhook.scheme == "none":
        return DoesNotApply("the system cannot sign")
    return verdict(faults(subject.manifest.webhook))


def _opening_faults(webhook: Webhook) -> Iterator[str]:
    headers = _headers(webhook, _SECRET, _BODY)
    seen = verify(webhook, headers, _BODY, [_SECRET], _NOW_S)
    if not isinstance(seen, Verified):
        yield f"a rightly signed webhook is refused: {seen.code}"
    elif seen.event_id != "msg_1" or not seen.topic:
        yield f"it has id {seen.event_id!r} and topic {seen.topic!r}"


def _forgery_faults(webhook: Webhook) -> Iterator[str]:
    headers = _headers(webhook, _SECRET, _BODY)
    name = _signature_header(webhook)
    signature = headers[name].encode()
    for at in range(len(_BODY)):
        if _opens(webhook, headers, _flipped(_BODY, at)):
            yield f"byte {at} of the body can be changed"
    for at in range(len(signature)):
        forged = headers | {name: _flipped(signature, at).decode("latin-1")}
        if _opens(webhook, forged, _BODY):
            yield f"byte {at} of the signature can be changed"
    if _opens(webhook, _headers(webhook, _OTHER, _BODY), _BODY):
        yield "another's secret opens it"
    if _opens(webhook, {each: told for each, told in headers.items() if each != name}, _BODY):
        yield "no signature opens it"


def _age_faults(webhook: Webhook) -> Iterator[str]:
    headers = _headers(webhook, _SECRET, _BODY)
    for shift_s in (WINDOW_S + 1, -WINDOW_S - 1):
        if not isinstance(verify(webhook, headers, _BODY, [_SECRET], _NOW_S + shift_s), Refused):
            yield f"it opens {shift_s} s later"


def _opens(webhook: Webhook, headers: dict[str, str], body: bytes) -> bool:
    return isinstance(verify(webhook, headers, body, [_SECRET], _NOW_S), Verified)


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _signature_header(webhook: Webhook) -> str:
    is_standard = webhook.scheme == "standard_webhooks"
    return "webhook-signature" if is_standard else webhook.signature_header


def _headers(webhook: Webhook, secret: str, body: bytes) -> dict[str, str]:
    """Sign as the vendor does; written here anew, so that signing and verifying check each other."""
    named = {webhook.id_header: "msg_1", webhook.topic_header: "lab/topic"}
    told = {name: value for name, value in named.items() if name}
    if webhook.scheme == "standard_webhooks":
        return told | sign_standard(secret, "msg_1", _NOW_S, body)
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    is_hex = webhook.scheme == "hmac_sha256_hex"
    return told | {
        webhook.signature_header: digest.hex() if is_hex else base64.b64encode(digest).decode()
    }
