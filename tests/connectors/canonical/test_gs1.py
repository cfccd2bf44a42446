"""GS1 keys as labels, tills and files write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical.gs1 import check_digit, gtin, has_check_digit, is_gln, is_sscc

digits = st.text("0123456789", min_size=1, max_size=17)


@pytest.mark.parametrize(
    ("written", "value", "status"),
    [
        ("6291041500213", "06291041500213", "valid"),
        ("8904000210037", "08904000210037", "valid"),
        ("036000241457", "00036000241457", "valid"),
        ("73513537", "00000073513537", "valid"),
        ("10614141000415", "10614141000415", "valid"),
        ("00078300054764", "00078300054764", "valid"),
        ("6291041500214", "06291041500214", "invalid"),
        ("2001234012751", "02001234012751", "restricted"),
        ("0412345678903", "00412345678903", "restricted"),
    ],
)
def test_a_trade_item_number_is_read_in_fourteen_digits(
    written: str, value: str, status: str
) -> None:
    read = gtin(written)

    assert read is not None
    assert (read.value, read.written, read.status) == (value, written, status)
    assert read.may_be_published == (status == "valid")


@pytest.mark.parametrize("written", ["", "123", "12345678901", "73513537 ", "7351353A", "٧٣٥١٣٥٣٧"])
def test_what_is_no_trade_item_number_is_none(written: str) -> None:
    assert gtin(written) is None


def test_locations_and_shipped_units_have_their_check_digit() -> None:
    assert is_gln("0614141000012")
    assert not is_gln("0614141000013")
    assert is_sscc("006141411234567890")
    assert not is_sscc("006141411234567891")


@given(digits)
def test_every_number_has_exactly_one_check_digit(body: str) -> None:
    right = [str(digit) for digit in range(10) if has_check_digit(body + str(digit))]

    assert right == [str(check_digit(body))]


@given(digits.filter(lambda body: len(body) > 1), st.data())
def test_one_mistyped_digit_is_always_noticed(body: str, data: st.DataObject) -> None:
    number = body + str(check_digit(body))
    place = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != number[place]))

    assert not has_check_digit(number[:place] + other + number[place + 1 :])
