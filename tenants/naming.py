"""What names in the directory may look like; refused with the field and the rule."""

from __future__ import annotations

import re
import unicodedata
from zoneinfo import available_timezones

from infra.errors import FieldError, Unprocessable

SLUG_MOST = 63  # a DNS label, RFC 1035 section 2.3.4: a slug may become a host name
NAME_MOST = 200
EMAIL_MOST = 254  # RFC 5321 section 4.5.3.1, as corrected by RFC 3696 erratum 1690

_SLUG = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
_CURRENCY = re.compile(r"[A-Z]{3}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


def check_slug(slug: str) -> str:
    """Give the short name back; raises Unprocessable unless it is a lower-case DNS label."""
    if len(slug) > SLUG_MOST or not _SLUG.fullmatch(slug):
        raise _refusal(
            "slug", f"The short name takes a-z, 0-9 and single hyphens, at most {SLUG_MOST}."
        )
    return slug


def check_name(name: str, field: str = "name") -> str:
    """Give a name without outer spaces; raises Unprocessable when empty, long or unprintable."""
    trimmed = unicodedata.normalize("NFC", name).strip()
    if not trimmed or len(trimmed) > NAME_MOST or not trimmed.isprintable():
        raise _refusal(field, f"A {field} is needed, printable, at most {NAME_MOST} characters.")
    return trimmed


def check_email(email: str) -> str:
    """Give an address in lower case; raises Unprocessable when it cannot be one."""
    trimmed = unicodedata.normalize("NFC", email).strip().lower()
    if len(trimmed) > EMAIL_MOST or not trimmed.isprintable() or not _EMAIL.fullmatch(trimmed):
        raise _refusal("email", "This is not an e-mail address.")
    return trimmed


def check_timezone(timezone: str) -> str:
    """Give the zone back; raises Unprocessable unless it is in the IANA database."""
    if timezone not in available_timezones():
        raise _refusal("timezone", "The time zone is not one of the IANA database.")
    return timezone


def check_currency(currency: str) -> str:
    """Give the currency back; raises Unprocessable unless it looks like an ISO 4217 code."""
    if not _CURRENCY.fullmatch(currency):
        raise _refusal("currency", "The currency is three capital letters, such as USD.")
    return currency


def _refusal(field: str, words: str) -> Unprocessable:
    code = f"{field}.invalid"
    return Unprocessable(
        words, code="directory.invalid", errors=[FieldError(f"/{field}", code, words)]
    )
