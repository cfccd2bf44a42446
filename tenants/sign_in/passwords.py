"""Passwords: Argon2id with the parameters of RFC 9106, and the few rules a new one must keep."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from infra.errors import FieldError, Unprocessable

# NIST SP 800-63B-4 section 3.1.1.2: length is what counts; no rules about kinds of characters.
SHORTEST = 12
LONGEST = 200
# Each hash takes 64 MiB: so many at one time, the others wait.
_AT_ONCE = asyncio.Semaphore(4)
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Verified when there is no such person, so that the answer takes as long.
_NOBODYS = _HASHER.hash("nobody's password")


def check_password(password: str, email: str) -> str:
    """Give a new password back; raises Unprocessable when it is too short or tells the address."""
    name = email.split("@", 1)[0]
    if not SHORTEST <= len(password) <= LONGEST:
        raise _refusal(f"Take between {SHORTEST} and {LONGEST} characters; a sentence is fine.")
    if len(name) > 3 and name.lower() in password.lower():  # noqa: PLR2004 - "ann" is in too much
        raise _refusal("Your own address must not be part of the password.")
    if len(set(password)) < 5:  # noqa: PLR2004
        raise _refusal("Take more than a few different characters.")
    return password


async def hash_password(password: str) -> str:
    """Hash a password; takes about a tenth of a second, in a thread."""
    async with _AT_ONCE:
        return await asyncio.to_thread(_HASHER.hash, password)


async def is_password(password: str, stored: str | None) -> bool:
    """Say whether a password is the stored one; None for nobody's takes the same time."""
    async with _AT_ONCE:
        return await asyncio.to_thread(_verify, password[:LONGEST], stored)


def _verify(password: str, stored: str | None) -> bool:
    try:
        _HASHER.verify(stored or _NOBODYS, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _refusal(words: str) -> Unprocessable:
    return Unprocessable(
        words,
        code="sign_in.password_weak",
        errors=(FieldError("/password", "sign_in.password_weak", words),),
    )
