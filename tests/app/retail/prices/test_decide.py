"""A place is told what differs and nothing else, and ends at the price that was decided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.retail.prices.decide import Begin, Known, Replace, Unsay, Wanted, Withdraw, decide

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
A, B = UUID(int=1), UUID(int=2)


def at(hours: int) -> datetime:
    return NOW + timedelta(hours=hours)


def known(hours: int, version: UUID = A, *, is_told: bool = True) -> Known:
    return Known(UUID(int=100 + hours), at(hours), version, is_end=False, is_told=is_told)


@dataclass
class Till:
    """A place and its book: what is planned, and what it was told, by moment."""

    book: dict[datetime, Known] = field(default_factory=dict)
    told: dict[datetime, UUID] = field(default_factory=dict)

    def follow(self, wanted: list[Wanted], now: datetime, *, lead: timedelta) -> int:
        """Decide anew and tell what is due; gives how many changes there were."""
        changes = decide(list(self.book.values()), wanted, now)
        for change in changes:
            if isinstance(change, Begin):
                new = Known(UUID(int=len(self.book)), change.wanted.begins_at,
                            change.wanted.version_id, change.wanted.is_end, is_told=False)  # fmt: skip
                self.book[new.begins_at] = new
            elif isinstance(change, Replace):
                self.book[change.known.begins_at] = replace(
                    change.known,
                    version_id=change.wanted.version_id,
                    is_withdrawn=False,
                    is_unsaid=False,
                )
            elif isinstance(change, Withdraw):
                self.book[change.known.begins_at] = replace(change.known, is_withdrawn=True)
            else:
                self.book[change.known.begins_at] = replace(change.known, is_unsaid=True)
        for moment, each in self.book.items():
            if not (each.is_withdrawn or each.is_unsaid) and moment - lead <= now:
                self.book[moment] = replace(each, is_told=True)
                self.told[moment] = each.version_id
        return len(changes)

    def charges(self, now: datetime) -> UUID | None:
        """Say what it charges: the last thing it was told that has begun."""
        begun = [moment for moment in self.told if moment <= now]
        return self.told[max(begun)] if begun else None


# A timeline: hours at which one of three versions begins, each other than the one before.
timelines = st.dictionaries(st.integers(-5, 12), st.integers(1, 3), max_size=5).map(
    lambda steps: [Wanted(at(hour), UUID(int=n)) for hour, n in sorted(steps.items())]
)
stories = st.lists(st.tuples(st.integers(0, 12), timelines), min_size=1, max_size=6).map(
    lambda story: sorted(story, key=lambda each: each[0])
)


@given(story=stories, lead_hours=st.integers(0, 6))
def test_after_every_change_of_mind_a_place_charges_what_is_decided(
    story: list[tuple[int, list[Wanted]]], lead_hours: int
) -> None:
    till = Till()

    for hour, wanted in story:
        # What was told or held before cannot be taken back to nothing.
        till.follow(wanted, at(hour), lead=timedelta(hours=lead_hours))
        holds = [each.version_id for each in wanted if each.begins_at <= at(hour)]

        if holds:
            assert till.charges(at(hour)) == holds[-1]
        assert till.follow(wanted, at(hour), lead=timedelta(hours=lead_hours)) == 0


def test_history_is_not_told() -> None:
    wanted = [Wanted(at(-9), A), Wanted(at(-3), B), Wanted(at(2), A)]

    assert decide([], wanted, NOW) == [Begin(wanted[1]), Begin(wanted[2])]


def test_what_holds_wrongly_is_put_right_now_not_in_the_past() -> None:
    wrong, right = known(-1, B), known(-9, A)

    assert decide([right, wrong], [Wanted(at(-9), A)], NOW) == [Begin(Wanted(NOW, A))]


def test_what_nobody_was_told_is_dropped_and_what_was_told_ahead_is_replaced() -> None:
    now_there = known(-9, A)
    quiet, loud = known(3, B, is_told=False), known(4, B)

    changes = decide([now_there, quiet, loud], [Wanted(at(-9), A)], NOW)

    assert changes == [Withdraw(quiet), Replace(loud, Wanted(at(4), A))]


def test_what_was_told_ahead_and_has_nothing_before_it_needs_a_person() -> None:
    loud = known(4, B)

    assert decide([loud], [], NOW) == [Unsay(loud)]


def test_the_same_moment_gets_another_version() -> None:
    there = known(2, A)

    assert decide([there], [Wanted(at(2), B)], NOW) == [Replace(there, Wanted(at(2), B))]
