"""Texts that open something: random, shown once, known to us only by their SHA-256."""

from __future__ import annotations

import hashlib
import re
import secrets

TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """Make a text of 256 random bits that fits a cookie and an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(text: str) -> bytes | None:
    """Give the digest under which a token is found; None for what cannot be one."""
    return hashlib.sha256(text.encode()).digest() if _TOKEN.fullmatch(text) else None
