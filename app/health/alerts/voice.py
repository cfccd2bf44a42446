"""In whose name people are told: the partner's, and nobody else's.

From the partner's brand (texts, all may be missing): `name`, `mail_sender_name`,
`mail_sender_address`, `mail_reply_to`, `mail_footer`, `portal_url`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.health.alerts.addresses import is_mail_address
from app.health.alerts.plain import one_line

FOOTER_CHARACTERS = 500
_PORTAL = re.compile(r"https://[a-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Voice:
    """How a partner speaks: its name, its own sender if it has one, and where its portal is."""

    name: str
    sender_name: str
    sender_address: str | None = None
    reply_to: str | None = None
    footer: str = ""
    portal_url: str = ""


def voice_of(partner_name: str, brand: Mapping[str, Any]) -> Voice:
    """Read a partner's voice from its brand; what cannot be used is left out, never shown."""
    name = _text(brand, "name") or one_line(partner_name)
    portal = _text(brand, "portal_url")
    return Voice(
        name=name,
        sender_name=_text(brand, "mail_sender_name") or name,
        sender_address=_address(brand, "mail_sender_address"),
        reply_to=_address(brand, "mail_reply_to"),
        footer=_text(brand, "mail_footer")[:FOOTER_CHARACTERS],
        portal_url=portal.rstrip("/") if _PORTAL.fullmatch(portal) else "",
    )


def _text(brand: Mapping[str, Any], key: str) -> str:
    value = brand.get(key)
    return one_line(value) if isinstance(value, str) else ""


def _address(brand: Mapping[str, Any], key: str) -> str | None:
    value = _text(brand, key)
    return value if is_mail_address(value) else None
