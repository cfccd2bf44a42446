"""Seal and open one value under a retailer's key of one month, bound to the row it belongs to."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.keys.master import NONCE_BYTES

# Layout of a sealed value: version (1 byte), nonce (12), ciphertext, tag (16).
_VERSION = b"\x01"
_HEAD_BYTES = 1 + NONCE_BYTES


class SealBroken(Exception):
    """A sealed value was changed, or stands in another row, field, month or retailer than its own."""


class TenantKey:
    """The data key of one retailer for one month (`period`: yyyymm, UTC).

    Random nonces are safe for 2^32 values under one key (NIST SP 800-38D section 8.3); the largest
    retailer planned seals about 2 * 10^8 a month.
    """

    __slots__ = ("_after", "_before", "_cipher", "period", "tenant_id")

    def __init__(self, tenant_id: UUID, period: int, key: bytes) -> None:
        self.tenant_id = tenant_id
        self.period = period
        self._cipher = AESGCM(key)
        self._before = f"{tenant_id}|".encode()
        self._after = f"|{period}".encode()

    def seal(self, context: str, plaintext: bytes) -> bytes:
        """Encrypt a value; `context` names its place, such as `message_body|<message id>|0`."""
        nonce = os.urandom(NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plaintext, self._place(context))

    def open(self, context: str, sealed: bytes) -> bytes:
        """Decrypt a value from the place where it was sealed; raises SealBroken for any other."""
        if sealed[:1] != _VERSION:
            raise SealBroken(f"{self._words(context)} has no seal of a known version.")
        try:
            return self._cipher.decrypt(
                sealed[1:_HEAD_BYTES], sealed[_HEAD_BYTES:], self._place(context)
            )
        except (InvalidTag, ValueError):
            raise SealBroken(f"{self._words(context)} was changed or moved.") from None

    def digest(self, text: bytes) -> bytes:
        """Give 32 bytes that are the same for the same text, and tell nothing without this key."""
        # One constant text under one constant nonce: a key of its own, which is never written.
        key = self._cipher.encrypt(bytes(NONCE_BYTES), bytes(32), self._place("digest"))
        return hashlib.blake2b(text, key=key[:32], digest_size=32).digest()

    def __repr__(self) -> str:
        return f"TenantKey({self.tenant_id}, {self.period})"

    def _place(self, context: str) -> bytes:
        # The id has a fixed length and the month stands last: no context can imitate another place.
        return self._before + context.encode() + self._after

    def _words(self, context: str) -> str:
        return f"The sealed value {context} of retailer {self.tenant_id}, key of {self.period},"


def period_of(moment: datetime) -> int:
    """Give the month of an aware moment as yyyymm in UTC; `moment` must be UTC already."""
    return moment.year * 100 + moment.month
