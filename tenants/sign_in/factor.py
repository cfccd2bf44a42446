"""The second factor: codes of an authenticator app (RFC 6238), none good twice."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp

STEP_S = 30
# The clock of a telephone may be off by so many steps.
STEPS_OFF = 1


def new_secret() -> str:
    """Make a secret of 160 bits as base32, as an authenticator app takes it."""
    return pyotp.random_base32()


def address_for(secret: str, email: str, portal: str) -> str:
    """Give the address that an authenticator app reads from a square code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=portal)


def step_of(secret: str, code: str, at: datetime, after: int) -> int | None:
    """Give the step in which a code is good, None when it is not, or not later than `after`."""
    typed = code.replace(" ", "")
    totp, now = pyotp.TOTP(secret), int(at.timestamp()) // STEP_S
    for step in range(now - STEPS_OFF, now + STEPS_OFF + 1):
        is_right = hmac.compare_digest(totp.at(step * STEP_S).encode(), typed.encode())
        if is_right and step > after:
            return step
    return None
