"""Tills that count to their highest number and begin again: no hole, and holes are still found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.retail.journals.gaps import TillNumbers, find_gaps
from app.retail.journals.rules import Tills

TILL = ("1", "")
ROLLING = Tills(first=1, highest=9_999)


def missing(numbers: list[int], rules: Tills = ROLLING, **told: int) -> list[int]:
    gaps = find_gaps({TILL: TillNumbers(numbers, **told)}, rules)
    assert all(each.number == each.last for each in gaps)
    return [each.number for each in gaps]


def test_a_till_that_begins_again_within_the_day_has_no_hole() -> None:
    """E-D14. 9999 is followed by 1: no gap, and both tickets are there."""
    assert missing([9_997, 9_998, 9_999, 1, 2, 3], before=9_996) == []


def test_what_is_lost_at_the_turn_is_told_by_the_number_on_the_ticket() -> None:
    assert missing([9_997, 9_998, 2, 3], before=9_996) == [9_999, 1]
    assert missing([9_998, 9_999, 1, 2], before=9_997, last=4) == [3, 4]


def test_a_till_that_begins_again_overnight_has_no_hole() -> None:
    assert missing([1, 2], before=9_999) == []
    assert missing([3, 4], before=9_998) == [9_999, 1, 2]


def test_without_the_rule_a_turn_is_one_jump() -> None:
    (jump,) = find_gaps({TILL: TillNumbers([9_998, 9_999, 1, 2])}, Tills())

    assert (jump.number, jump.last) == (3, 9_997)


@given(
    start=st.integers(min_value=9_800, max_value=9_999),
    count=st.integers(min_value=2, max_value=400),
    data=st.data(),
)
def test_every_ticket_lost_around_the_turn_is_found(
    start: int, count: int, data: st.DataObject
) -> None:
    printed = [(number - 1) % 9_999 + 1 for number in range(start, start + count)]
    lost = data.draw(st.sets(st.sampled_from(printed[1:-1] or printed[:1]), max_size=20))
    kept = [number for number in printed if number not in lost]

    before = (start - 2) % 9_999 + 1
    last = printed[-1]

    assert set(missing(kept, before=before, last=last)) == lost & set(printed)
