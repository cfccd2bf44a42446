"""A sealed value opens in its own place only."""

from __future__ import annotations

import secrets
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import clock
from infra.keys.sealing import SealBroken, TenantKey
from infra.keys.vault import period_of

TENANT = UUID(int=7)
OTHER = UUID(int=8)
KEY = secrets.token_bytes(32)
PLACE = "message_body|0190|0"


def test_a_sealed_value_opens_in_its_place() -> None:
    key = TenantKey(TENANT, 202611, KEY)

    assert key.open(PLACE, key.seal(PLACE, b"ticket 42")) == b"ticket 42"


def test_sealing_twice_never_gives_the_same_bytes() -> None:
    key = TenantKey(TENANT, 202611, KEY)

    assert key.seal(PLACE, b"ticket 42") != key.seal(PLACE, b"ticket 42")


@pytest.mark.parametrize(
    ("tenant_id", "period", "place"),
    [
        (OTHER, 202611, PLACE),
        (TENANT, 202612, PLACE),
        (TENANT, 202611, "message_body|0190|1"),
        (TENANT, 202611, "message_body|0191|0"),
        (TENANT, 202611, "event|0190|0"),
        (TENANT, 202611, ""),
    ],
)
def test_a_value_moved_to_another_place_does_not_open(
    tenant_id: UUID, period: int, place: str
) -> None:
    sealed = TenantKey(TENANT, 202611, KEY).seal(PLACE, b"ticket 42")

    with pytest.raises(SealBroken):
        TenantKey(tenant_id, period, KEY).open(place, sealed)


def test_no_context_can_imitate_another_retailer_or_month() -> None:
    sealed = TenantKey(TENANT, 202611, KEY).seal("a|b", b"x")

    for place in ("a|b|202611", "b", "a", f"{TENANT}|a|b"):
        with pytest.raises(SealBroken):
            TenantKey(TENANT, 202611, KEY).open(place, sealed)


def test_every_flipped_bit_is_found() -> None:
    key = TenantKey(TENANT, 202611, KEY)
    sealed = key.seal(PLACE, b"ticket 42")

    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            key.open(PLACE, bytes(changed))


def test_every_cut_is_found() -> None:
    key = TenantKey(TENANT, 202611, KEY)
    sealed = key.seal(PLACE, b"ticket 42")

    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            key.open(PLACE, sealed[:length])


@given(st.binary(max_size=4_000), st.text(max_size=60))
def test_whatever_is_sealed_comes_back(plaintext: bytes, place: str) -> None:
    key = TenantKey(TENANT, 202611, KEY)

    assert key.open(place, key.seal(place, plaintext)) == plaintext


def test_neither_key_nor_value_is_shown() -> None:
    key = TenantKey(TENANT, 202611, KEY)
    sealed = key.seal(PLACE, b"ticket 42")

    with pytest.raises(SealBroken) as refused:
        key.open("elsewhere", sealed)

    shown = repr(key) + str(refused.value)
    assert KEY.hex() not in shown
    assert "ticket" not in shown
    assert str(TENANT) in shown


def test_the_month_is_that_of_utc() -> None:
    assert 202601 <= period_of(clock.now()) <= 209912
    assert period_of(clock.now().replace(year=2026, month=3)) == 202603
