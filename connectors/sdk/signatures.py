"""Webhook signatures: is this body from who it claims to be, and signs what we send ourselves.

Verification is over the raw bytes as received. It never raises on what a sender controls: every
doubt is a `Refused` with its code. All candidates are compared with all secrets in constant time,
so that the answer's timing says neither which secret nor which byte was wrong.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from connectors.sdk.manifest import Webhook, WebhookScheme

# Standard Webhooks: the libraries of the specification all use five minutes either way.
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
WINDOW_S = 300
# A sender rotating secrets signs with two or three; more is someone making us compute.
MAX_CANDIDATES = 16
SECRET_PREFIX = "whsec_"  # noqa: S105 - the public marker in front of a secret

RefusalCode = Literal[
    "signature.missing",
    "signature.invalid",
    "signature.stale",
    "signature.future",
    "signature.malformed",
]

# No spaces and commas: a header sent twice and joined by a proxy can never pass as one value.
_ID = re.compile(r"[!-+\--~]{1,256}")
_TOPIC = re.compile(r"[!-~]{1,128}")
_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_CANDIDATE = re.compile(r"v[0-9]{1,2}[a-z]?,[A-Za-z0-9+/]{1,128}={0,2}")
_BASE64_SHA256 = re.compile(r"[A-Za-z0-9+/]{43}=")
# Lower case only: `A` for `a` would be a second spelling of one signature.
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Verified:
    """An authentic webhook; `event_id` is the sender's own ("" when it gives none), for dedup.

    `triggered_at` is when the sender made it (ISO 8601), "" when it does not say: the signed
    timestamp, or the kept header whose name ends with `triggered-at`.
    """

    event_id: str
    topic: str
    triggered_at: str
    kept_headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Refused:
    """A webhook that is not shown to be authentic; the code is for our counters, not the sender."""

    code: RefusalCode


@dataclass(frozen=True, slots=True)
class _Claim:
    webhook: Webhook
    headers: Mapping[str, str]
    body: bytes
    secrets: Sequence[str]
    now_s: int


def verify(
    webhook: Webhook,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now_s: int,
) -> Verified | Refused:
    """Say whether a webhook is authentic under any of the secrets (two during a rotation).

    Takes:  header names in lower case; the body as received, before any decoding; seconds since
            1970 as the present.
    Gives:  Verified, or Refused; a missing or unreadable secret refuses, it never lets through.
    """
    claim = _Claim(webhook, headers, body, secrets, now_s)
    return _SCHEMES[webhook.scheme](claim) or _described(webhook, headers)


def sign_standard(secret: str, msg_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Make the three Standard Webhooks headers for a message of ours.

    The time is whole seconds since 1970, never a datetime: a zone cannot be misread. Raises
    ValueError for a secret that is not `whsec_` and base64.
    """
    key = _standard_key(secret)
    if key is None:
        raise ValueError("A signing secret is whsec_ followed by base64.")
    signature = base64.b64encode(_digest(key, _standard_content(msg_id, str(timestamp_s), body)))
    return {
        "webhook-id": msg_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{signature.decode()}",
    }


def _described(webhook: Webhook, headers: Mapping[str, str]) -> Verified | Refused:
    event_id = headers.get(_id_header(webhook), "")
    topic = headers.get(webhook.topic_header, "") or webhook.topic
    if (event_id and not _ID.fullmatch(event_id)) or (topic and not _TOPIC.fullmatch(topic)):
        return Refused("signature.malformed")
    kept = {name: headers[name] for name in webhook.keep_headers if name in headers}
    return Verified(event_id, topic, _triggered_at(webhook, headers, kept), kept)


def _id_header(webhook: Webhook) -> str:
    return webhook.id_header or ("webhook-id" if webhook.scheme == "standard_webhooks" else "")


def _triggered_at(webhook: Webhook, headers: Mapping[str, str], kept: Mapping[str, str]) -> str:
    if webhook.scheme == "standard_webhooks":
        moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        return moment.isoformat().replace("+00:00", "Z")
    return next((kept[name] for name in kept if name.endswith("triggered-at")), "")


def _standard(claim: _Claim) -> Refused | None:
    msg_id = claim.headers.get("webhook-id", "")
    timestamp = claim.headers.get("webhook-timestamp", "")
    signatures = claim.headers.get("webhook-signature", "")
    if not (msg_id and timestamp and signatures):
        return Refused("signature.missing")
    candidates = signatures.split(" ", MAX_CANDIDATES)
    if (
        not _ID.fullmatch(msg_id)
        or not _TIMESTAMP.fullmatch(timestamp)
        or len(candidates) > MAX_CANDIDATES
        or not all(_CANDIDATE.fullmatch(candidate) for candidate in candidates)
    ):
        return Refused("signature.malformed")
    content = _standard_content(msg_id, timestamp, claim.body)
    keys = [key for secret in claim.secrets if (key := _standard_key(secret)) is not None]
    expected = [b"v1," + base64.b64encode(_digest(key, content)) for key in keys]
    if not _any_equal([candidate.encode() for candidate in candidates], expected):
        return Refused("signature.invalid")
    return _outside_window(int(timestamp), claim.now_s)


def _outside_window(timestamp_s: int, now_s: int) -> Refused | None:
    if now_s - timestamp_s > WINDOW_S:
        return Refused("signature.stale")
    if timestamp_s - now_s > WINDOW_S:
        return Refused("signature.future")
    return None


def _plain_hmac(form: re.Pattern[str], written: Callable[[bytes], bytes]) -> _Scheme:
    """Make the check of an HMAC-SHA256 of the body in one header, keyed with the secret's bytes."""

    def check(claim: _Claim) -> Refused | None:
        signature = claim.headers.get(claim.webhook.signature_header, "")
        if not signature:
            return Refused("signature.missing")
        if not form.fullmatch(signature):
            return Refused("signature.malformed")
        keys = [secret.encode() for secret in claim.secrets if secret]
        expected = [written(_digest(key, claim.body)) for key in keys]
        return None if _any_equal([signature.encode()], expected) else Refused("signature.invalid")

    return check


def _standard_content(msg_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{msg_id}.{timestamp}.".encode() + body


def _standard_key(secret: str) -> bytes | None:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key or None


def _digest(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


def _any_equal(candidates: Sequence[bytes], expected: Sequence[bytes]) -> bool:
    # No early exit: which of several secrets fits must not show in the time taken.
    results = [hmac.compare_digest(mine, theirs) for mine in expected for theirs in candidates]
    return any(results)


_Scheme = Callable[[_Claim], Refused | None]

_SCHEMES: dict[WebhookScheme, _Scheme] = {
    # A system that cannot sign is known only by its secret hook address.
    "none": lambda _claim: None,
    "standard_webhooks": _standard,
    "hmac_sha256_base64": _plain_hmac(_BASE64_SHA256, base64.b64encode),
    "hmac_sha256_hex": _plain_hmac(_HEX_SHA256, binascii.hexlify),
}
