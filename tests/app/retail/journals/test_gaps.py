"""Holes in the numbers of tills: every one is found, told, and closed when its ticket comes."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from app.retail.journals.gaps import LARGEST_HOLE, Gap, TillKey, TillNumbers, find_gaps
from app.retail.journals.rules import Tills

TILL: TillKey = ("1", "")
ANY = Tills()


def missing(numbers: list[int], rules: Tills = ANY, **known: int) -> list[int]:
    """Give the numbers that one till lacks."""
    gaps = find_gaps({TILL: TillNumbers(numbers, known.get("before"), known.get("last"))}, rules)
    return [gap.number for gap in gaps]


@given(
    st.sets(st.integers(2, 398), max_size=60),
    st.integers(1, 10**9),
    st.randoms(use_true_random=False),
)
def test_every_ticket_that_is_lost_between_two_others_is_found(
    lost: set[int], start: int, chance: random.Random
) -> None:
    came = [start + number for number in range(1, 400) if number not in lost]
    chance.shuffle(came)

    assert missing(came + came[:50]) == [start + number for number in sorted(lost)]


def test_of_14000_tickets_of_six_tills_each_lost_one_is_told() -> None:
    """L13. One in a thousand is dropped: all holes are reported, none that is not one."""
    chance = random.Random(20261127)  # noqa: S311 - repeatable, nothing to guess
    sent = [(str(1 + n % 6), n // 6 + 1) for n in range(14_000)]
    inner = [each for each in sent if 1 < each[1] < 2_333]
    lost = sorted(chance.sample(inner, 14))
    tills: dict[TillKey, TillNumbers] = {
        (till, ""): TillNumbers([n for t, n in sent if t == till and (t, n) not in lost])
        for till in "123456"
    }

    found = find_gaps(tills, ANY)

    assert [(gap.workstation, gap.number) for gap in found] == lost


def test_numbers_that_a_day_begins_and_ends_with_are_holes_only_when_they_are_known() -> None:
    assert missing([7, 8]) == []
    assert missing([7, 8], before=4) == [5, 6]
    assert missing([7, 8], last=10) == [9, 10]
    assert missing([], before=4, last=5) == [5]
    assert missing([3, 4], Tills(restart_daily=True, first=1), before=900) == [1, 2]


def test_a_counter_that_went_back_was_set_anew() -> None:
    assert missing([1, 2], before=9_999) == []


def test_a_hole_larger_than_any_days_loss_is_one_jump() -> None:
    gaps = find_gaps({TILL: TillNumbers([1, 2, 20_260_101])}, ANY)

    assert gaps == [Gap("1", "", 3, 20_260_100, "missing")]
    assert gaps[0].key("12", "2026-11-20") == "12/2026-11-20/1/3-20260100"
    assert gaps[0].words("12") == (
        "The numbers of store 12, till 1 jump from 2 to 20260101. Either the till's counter was set"
        " anew, or a number is wrong. Look at the till's last report."
    )
    assert len(missing([1, LARGEST_HOLE + 2])) == LARGEST_HOLE


def test_what_is_explained_is_no_hole_and_what_waits_is_told_as_waiting() -> None:
    gaps = find_gaps(
        {TILL: TillNumbers([1, 5])}, ANY, explained={("1", "", 2)}, held={("1", "", 3)}
    )

    assert [(gap.number, gap.reason) for gap in gaps] == [(3, "held"), (4, "missing")]
    assert gaps[0].words("12").startswith("Ticket 3 of store 12, till 1 is here but cannot be read")
    assert gaps[1].words("12").startswith("Ticket 4 of store 12, till 1 never came.")


def test_what_is_explained_at_another_till_explains_nothing_here() -> None:
    gaps = find_gaps({TILL: TillNumbers([1, 3])}, ANY, explained={("2", "", 2)})

    assert [gap.number for gap in gaps] == [2]


def test_numbers_of_each_operator_are_counted_apart_where_they_restart() -> None:
    tills: dict[TillKey, TillNumbers] = {
        ("1", "A"): TillNumbers([1, 3]), ("1", "B"): TillNumbers([1, 2]),
    }  # fmt: skip

    (gap,) = find_gaps(tills, Tills(per_operator=True))

    assert (gap.operator, gap.number) == ("A", 2)
    assert gap.key("12", "2026-11-20") == "12/2026-11-20/1/A/2"
