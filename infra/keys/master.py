"""The master keys: they wrap data keys, never data, and live outside the database.

Rotation without a failed call, with `TILLWIRE_MASTER_KEY_FILE=/etc/tillwire/master.key`:

1. Put the new key beside it as `master.key.other-1` on every machine; restart. It can open now.
2. Swap the two names; restart. New data keys are wrapped under the new key.
3. Rewrap the data keys of all retailers (`Vault.rewrap`).
4. Remove `master.key.other-1`.

A key given by variable (`TILLWIRE_MASTER_KEY`) is the only one; move it to a file to rotate it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.settings import MASTER_KEY_BYTES, KeySettings

NONCE_BYTES = 12  # 96 bits, NIST SP 800-38D section 8.2.2
_ID_BYTES = 8
_OTHERS = ".other-*"


class MasterKeyUnusable(Exception):
    """A master key file that is missing, open to others or not a key; the text never shows the key."""


class MasterKeyUnknown(Exception):
    """A data key is wrapped under a master key that this process was not given."""


class WrapBroken(Exception):
    """A wrapped data key was changed, or moved from another retailer or month."""


class MasterKey:
    """One key of 32 bytes, named by a fingerprint so that no register of names is needed."""

    def __init__(self, key: bytes) -> None:
        if len(key) != MASTER_KEY_BYTES:
            raise MasterKeyUnusable(f"a master key has {MASTER_KEY_BYTES} bytes, not {len(key)}")
        self.id = hashlib.sha256(b"tillwire master key id\0" + key).digest()[:_ID_BYTES].hex()
        self._cipher = AESGCM(key)

    def wrap(self, tenant_id: UUID, period: int, data_key: bytes) -> bytes:
        """Encrypt a data key so that it opens only for this retailer and month (yyyymm)."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data_key, self._bound_to(tenant_id, period))

    def unwrap(self, tenant_id: UUID, period: int, wrapped: bytes) -> bytes:
        """Decrypt a data key; raises WrapBroken when a bit, the retailer or the month differs."""
        nonce, body = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, body, self._bound_to(tenant_id, period))
        except (InvalidTag, ValueError):
            raise WrapBroken(
                f"The data key of retailer {tenant_id} for {period} does not open under its own"
                f" master key {self.id}: the row was changed or moved. Restore it from a backup."
            ) from None

    def _bound_to(self, tenant_id: UUID, period: int) -> bytes:
        return f"data_key|{tenant_id}|{period}|{self.id}".encode()


class MasterKeys:
    """All master keys of a process: the newest wraps, every one of them opens."""

    def __init__(self, newest: MasterKey, others: Iterable[MasterKey] = ()) -> None:
        self.newest = newest
        self._by_id = {key.id: key for key in (*others, newest)}

    def unwrap(self, master_key_id: str, tenant_id: UUID, period: int, wrapped: bytes) -> bytes:
        """Open a data key under the master key it names; raises MasterKeyUnknown or WrapBroken."""
        master = self._by_id.get(master_key_id)
        if master is None:
            known = ", ".join(sorted(self._by_id))
            raise MasterKeyUnknown(
                f"The data key of retailer {tenant_id} for {period} is wrapped under master key"
                f" {master_key_id}; this process has only {known}. Put the missing key beside"
                f" TILLWIRE_MASTER_KEY_FILE as <name>.other-1 and restart."
            )
        return master.unwrap(tenant_id, period, wrapped)


def masters_from_settings(settings: KeySettings) -> MasterKeys:
    """Read the newest key and those beside it; raises MasterKeyUnusable with the file's name."""
    newest = MasterKey(settings.master_key_bytes())
    path = settings.master_key_file
    if path is None:
        return MasterKeys(newest)
    others = sorted(path.parent.glob(path.name + _OTHERS))
    return MasterKeys(newest, [_read(other) for other in others])


def _read(path: Path) -> MasterKey:
    try:
        if path.stat().st_mode & 0o077:
            raise MasterKeyUnusable(f"{path.name} is open to others; run chmod 0400 on it")
        return MasterKey(base64.b64decode(path.read_bytes().strip(), validate=True))
    except binascii.Error:
        raise MasterKeyUnusable(f"{path.name} is not base64") from None
    except OSError as fault:
        raise MasterKeyUnusable(f"{path.name} cannot be read: {type(fault).__name__}") from None
