"""Put a connection's credentials on a call, and strike them out of what comes back."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.connections.secrets import Secrets
from connectors.sdk.manifest import Auth, AuthScheme
from connectors.sdk.signatures import sign_standard
from connectors.sdk.transport import NotSent
from infra.clock import unix_s
from infra.ids import new_id

STRUCK = "[redacted]"
# Striking out shorter values would mutilate ordinary words; no credential of worth is this short.
MIN_STRUCK_CHARACTERS = 8

Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Unsigned:
    """A call that still lacks its credentials."""

    auth: Auth
    secrets: Secrets
    headers: Mapping[str, str]
    body: bytes

    def current(self, field: str) -> str:
        """Give the credential now in use; raises NotSent when there is none."""
        values = self.secrets.reveal(field)
        if not values:
            raise NotSent(
                "connection.credentials_missing", f"This connection has no credential {field} yet."
            )
        return values[0]


def credential_headers(
    auth: Auth, secrets: Secrets, headers: Mapping[str, str], body: bytes
) -> Headers:
    """Make the headers that authenticate one call; raises NotSent when a credential is missing."""
    return _SCHEMES[auth.scheme](_Unsigned(auth, secrets, headers, body))


def strike_out(text: str, worth: Iterable[str]) -> str:
    """Replace every credential that is worth striking (`worth_striking`) in a text."""
    for value in worth:
        text = text.replace(value, STRUCK)
    return text


def strike_out_bytes(content: bytes, worth: Iterable[str]) -> bytes:
    """Replace every credential that is worth striking, whatever the encoding of the rest."""
    for value in worth:
        content = content.replace(value.encode(), STRUCK.encode())
    return content


def worth_striking(values: Iterable[str]) -> list[str]:
    """Give the credentials to strike out, longest first: one may contain another."""
    return sorted((v for v in values if len(v) >= MIN_STRUCK_CHARACTERS), key=len, reverse=True)


def _bearer(call: _Unsigned) -> Headers:
    return {call.auth.header or "Authorization": f"Bearer {call.current(call.auth.field)}"}


def _header(call: _Unsigned) -> Headers:
    return {call.auth.header: call.current(call.auth.field)}


def _basic(call: _Unsigned) -> Headers:
    pair = f"{call.current('username')}:{call.current('password')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _standard(call: _Unsigned) -> Headers:
    # A connector that repeats a message names it itself, so that the receiver knows the repeat.
    named = {name.lower(): value for name, value in call.headers.items()}
    message_id = named.get("webhook-id") or f"msg_{new_id().hex}"
    return sign_standard(call.current(call.auth.field), message_id, unix_s(), call.body)


_SCHEMES: dict[AuthScheme, Callable[[_Unsigned], Headers]] = {
    "none": lambda _call: {},
    "bearer": _bearer,
    "header": _header,
    "basic": _basic,
    "standard_webhooks": _standard,
}
