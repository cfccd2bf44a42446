"""One price at every instant at every place, whatever order the versions came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.retail.prices.timeline import Place, Series, Step, holding, series_of, timeline
from app.retail.prices.versions import PriceVersion, Telling, newest
from connectors.canonical.price import Price, PriceScope

D = Decimal
START = datetime.fromisoformat("2026-10-25")
STORE = PriceScope(kind="store", name="12")
WEST = PriceScope(kind="region", name="west")
SHELF = Series("shelf", D(1), "EA")
ZONES = ("America/New_York", "Europe/Zurich", "Australia/Lord_Howe", "America/Phoenix")
# Around the nights on which clocks change, to the half hour.
walls = st.integers(0, 48 * 21).map(lambda halves: START + timedelta(minutes=30 * halves))
places = st.sampled_from(ZONES).map(lambda zone: Place(zone, "USD", frozenset({STORE, WEST})))


@st.composite
def versions(draw: st.DrawFn, number: int) -> PriceVersion:
    begins = draw(walls)
    length = draw(st.none() | st.integers(1, 200))
    price = Price(
        price_id=f"P-{number}",
        sku="A",
        kind=draw(st.sampled_from(("regular", "sale", "cost_plus", "member", "msrp", "map"))),
        scope=draw(st.sampled_from([PriceScope(), STORE, WEST])),
        amount=D(draw(st.integers(1, 9))),
        currency=draw(st.sampled_from(("USD", "USD", "USD", "CAD"))),
        min_quantity=draw(st.sampled_from((D(1), D(10)))),
        effective_from=begins,
        effective_to=None if length is None else begins + timedelta(minutes=30 * length),
        priority=draw(st.integers(0, 2)),
    )
    ended = draw(st.none() | walls)
    return PriceVersion(UUID(int=number), price, ended.replace(tzinfo=UTC) if ended else None)


sets = st.integers(0, 8).flatmap(lambda n: st.tuples(*(versions(i) for i in range(n)))).map(list)
moments = st.integers(0, 48 * 25).map(
    lambda halves: START.replace(tzinfo=UTC) + timedelta(minutes=30 * halves)
)


def at(steps: tuple[Step, ...], moment: datetime) -> PriceVersion | None:
    """Read a timeline at a moment, as a place does: the last step that has begun."""
    begun = [step for step in steps if step.begins_at <= moment]
    return begun[-1].version if begun else None


@given(told=sets, place=places, moment=moments)
def test_at_every_instant_the_timeline_says_what_holds_and_nothing_else(
    told: list[PriceVersion], place: Place, moment: datetime
) -> None:
    for series in {found for each in told if (found := series_of(each.price))}:
        steps = timeline(told, series, place)

        assert at(steps, moment) == holding(told, series, place, moment)


@given(told=sets, place=places, random=st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(
    told: list[PriceVersion], place: Place, random: object
) -> None:
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert timeline(told, SHELF, place) == timeline(shuffled, SHELF, place)


@given(told=sets, place=places)
def test_steps_begin_one_after_the_other_and_each_changes_something(
    told: list[PriceVersion], place: Place
) -> None:
    steps = timeline(told, SHELF, place)

    assert all(one.begins_at < two.begins_at for one, two in pairwise(steps))
    assert all(one.version != two.version for one, two in pairwise(steps))


def test_a_sale_leads_and_the_regular_price_comes_back_by_the_wall() -> None:
    regular = Price(price_id="R", sku="A", amount=D(10), currency="USD", effective_from=START)
    sale = Price(
        price_id="S", sku="A", kind="sale", amount=D(8), currency="USD",
        effective_from=datetime.fromisoformat("2026-11-01T00:00"),
        effective_to=datetime.fromisoformat("2026-11-02T00:00"),
    )  # fmt: skip
    told = [PriceVersion(UUID(int=1), regular), PriceVersion(UUID(int=2), sale)]

    steps = timeline(told, SHELF, Place("America/New_York", "USD"))

    # The day on which the clocks go back has 25 hours.
    assert [(step.begins_at, step.version.price.price_id) for step in steps if step.version] == [
        (datetime(2026, 10, 25, 4, tzinfo=UTC), "R"),
        (datetime(2026, 11, 1, 4, tzinfo=UTC), "S"),
        (datetime(2026, 11, 2, 5, tzinfo=UTC), "R"),
    ]


def test_a_time_that_a_clock_skips_begins_after_the_gap_and_one_shown_twice_at_its_first() -> None:
    def begins(wall: str) -> datetime:
        price = Price(
            price_id="P", sku="A", amount=D(1), currency="USD",
            effective_from=datetime.fromisoformat(wall),
        )  # fmt: skip
        told = [PriceVersion(UUID(int=1), price)]
        return timeline(told, SHELF, Place("America/New_York", "USD"))[0].begins_at

    assert begins("2027-03-14T02:30") == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    assert begins("2026-11-01T01:30") == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@given(
    tellings=st.lists(
        st.builds(
            Telling,
            id=st.uuids(),
            told_at=st.integers(0, 3).map(lambda n: datetime(2026, 11, 1, n, tzinfo=UTC)),
            version=st.sampled_from(("", "2", "10", "b")),
            content_hash=st.binary(min_size=2, max_size=2),
        ),
        min_size=1,
        unique_by=lambda each: (each.told_at, each.version, each.content_hash),
    ),
    random=st.randoms(use_true_random=False),
)
def test_the_telling_that_counts_is_the_same_in_every_order(
    tellings: list[Telling], random: object
) -> None:
    shuffled = list(tellings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert newest(tellings) == newest(shuffled)


def test_version_ten_is_newer_than_version_two_of_the_same_moment() -> None:
    told_at = datetime(2026, 11, 1, tzinfo=UTC)
    two = Telling(UUID(int=1), told_at, "2", b"z")
    ten = Telling(UUID(int=2), told_at, "10", b"a")

    assert newest([two, ten]) == ten
