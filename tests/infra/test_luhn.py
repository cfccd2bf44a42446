"""Card numbers that networks publish for tests pass; a changed digit does not."""

from __future__ import annotations

import pytest

from infra.luhn import passes_luhn

PUBLISHED = (b"4111111111111111", b"378282246310005", b"5555555555554444", b"6011111111111117")


@pytest.mark.parametrize("number", PUBLISHED)
def test_a_published_number_passes_and_every_single_changed_digit_fails(number: bytes) -> None:
    changed = [
        number[:at] + bytes([48 + (number[at] - 48 + shift) % 10]) + number[at + 1 :]
        for at in range(len(number))
        for shift in range(1, 10)
    ]

    assert passes_luhn(number)
    assert [each for each in changed if passes_luhn(each)] == []
