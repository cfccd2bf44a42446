"""Master keys come from a private file or a variable, and several may open at once."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr, ValidationError

from infra.keys.master import (
    MasterKey,
    MasterKeys,
    MasterKeyUnknown,
    MasterKeyUnusable,
    WrapBroken,
    masters_from_settings,
)
from infra.settings import KeySettings

TENANT, OTHER = UUID(int=7), UUID(int=8)


def a_key_file(path: Path, key: bytes, mode: int = 0o400) -> Path:
    path.write_bytes(base64.b64encode(key) + b"\n")
    path.chmod(mode)
    return path


def test_a_key_is_named_by_its_fingerprint() -> None:
    key = bytes(32)

    assert MasterKey(key).id == MasterKey(key).id
    assert MasterKey(key).id != MasterKey(b"\x01" * 32).id
    assert len(MasterKey(key).id) == 16


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(MasterKeyUnusable, match=f"32 bytes, not {size}"):
        MasterKey(bytes(size))


@pytest.mark.parametrize(("tenant_id", "period"), [(OTHER, 202611), (TENANT, 202612)])
def test_a_data_key_moved_to_another_retailer_or_month_does_not_open(
    tenant_id: UUID, period: int
) -> None:
    master = MasterKey(secrets.token_bytes(32))
    wrapped = master.wrap(TENANT, 202611, bytes(32))

    with pytest.raises(WrapBroken):
        master.unwrap(tenant_id, period, wrapped)


def test_every_flipped_bit_of_a_wrapped_key_is_found() -> None:
    master = MasterKey(secrets.token_bytes(32))
    wrapped = master.wrap(TENANT, 202611, bytes(32))

    for bit in range(len(wrapped) * 8):
        changed = bytearray(wrapped)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WrapBroken):
            master.unwrap(TENANT, 202611, bytes(changed))


def test_a_missing_master_key_is_named_with_the_way_out() -> None:
    had, missing = MasterKey(secrets.token_bytes(32)), MasterKey(secrets.token_bytes(32))
    wrapped = missing.wrap(TENANT, 202611, bytes(32))

    with pytest.raises(MasterKeyUnknown) as refused:
        MasterKeys(had).unwrap(missing.id, TENANT, 202611, wrapped)

    assert missing.id in str(refused.value)
    assert had.id in str(refused.value)
    assert "TILLWIRE_MASTER_KEY_FILE" in str(refused.value)


def test_the_key_of_a_file_wraps_and_those_beside_it_open(tmp_path: Path) -> None:
    newest, older = secrets.token_bytes(32), secrets.token_bytes(32)
    path = a_key_file(tmp_path / "master.key", newest)
    a_key_file(tmp_path / "master.key.other-1", older, 0o600)
    a_key_file(tmp_path / "elsewhere.key", secrets.token_bytes(32))

    keys = masters_from_settings(KeySettings(master_key_file=path))

    assert keys.newest.id == MasterKey(newest).id
    wrapped = MasterKey(older).wrap(TENANT, 202611, b"k" * 32)
    assert keys.unwrap(MasterKey(older).id, TENANT, 202611, wrapped) == b"k" * 32


def test_the_key_of_a_variable_stands_alone() -> None:
    key = secrets.token_bytes(32)

    keys = masters_from_settings(KeySettings(master_key=SecretStr(base64.b64encode(key).decode())))

    assert keys.newest.id == MasterKey(key).id


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o620])
def test_a_key_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = a_key_file(tmp_path / "master.key", bytes(32), mode)

    with pytest.raises(ValidationError, match="chmod 0400"):
        KeySettings(master_key_file=path)


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o620])
def test_an_older_key_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = a_key_file(tmp_path / "master.key", bytes(32))
    a_key_file(tmp_path / "master.key.other-1", bytes(32), mode)

    with pytest.raises(MasterKeyUnusable, match=r"master\.key\.other-1 is open to others"):
        masters_from_settings(KeySettings(master_key_file=path))


def test_an_older_key_file_that_is_no_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    path = a_key_file(tmp_path / "master.key", bytes(32))
    other = tmp_path / "master.key.other-1"
    other.write_bytes(b"my secret!")
    other.chmod(0o400)

    with pytest.raises(MasterKeyUnusable) as refused:
        masters_from_settings(KeySettings(master_key_file=path))

    assert str(refused.value) == "master.key.other-1 is not base64"
