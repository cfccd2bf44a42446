"""Location: a store, warehouse or virtual place, with its clock, its days and what it can do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from connectors.canonical.business_day import MIDNIGHT, TradingDay
from connectors.canonical.checks import Found, Rule, broken_rules
from connectors.canonical.gs1 import is_gln
from connectors.canonical.order import Address
from connectors.canonical.order_checks import Breach

LocationKind = Literal[
    "store", "dc", "third_party", "marketplace", "dark_store", "pop_up", "virtual", "in_transit"
]
Capability = Literal["pickup", "ship_from_store", "receive_returns", "curbside"]
Connectivity = Literal["online", "hourly", "nightly"]
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]


class OpeningHours(msgspec.Struct, frozen=True, kw_only=True):
    """When a place is open on one day of the week (1 is Monday), by its own clock; not past midnight."""

    weekday: Weekday
    opens: time
    closes: time


class Location(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place where goods are sold or kept. `zone` is an IANA name; its days begin at the cut.

    Of `opened_on` and `closed_on` both days are days of trade. `merged_into` is the place that posts
    what still comes for one that is closed.
    """

    location_id: str
    kind: LocationKind
    name: str
    store_no: str = ""
    gln: str = ""
    address: Address | None = None
    zone: str
    business_day_cut: time = MIDNIGHT
    hours: tuple[OpeningHours, ...] = ()
    closed_days: tuple[date, ...] = ()
    legal_entity: str = ""
    currency: str
    capabilities: tuple[Capability, ...] = ()
    connectivity: Connectivity = "online"
    opened_on: date | None = None
    closed_on: date | None = None
    merged_into: str = ""


def trading_day(location: Location) -> TradingDay:
    """Give when the business days of a location begin."""
    return TradingDay(location.zone, location.business_day_cut)


def is_trading(location: Location, day: date) -> bool:
    """Say whether a location exists on a business day: opened, and not closed for good."""
    begun = location.opened_on is None or location.opened_on <= day
    return begun and (location.closed_on is None or day <= location.closed_on)


def is_open(location: Location, moment: datetime) -> bool:
    """Say whether the doors are open at a moment (aware); by the clock on the wall."""
    local = moment.astimezone(ZoneInfo(location.zone))
    if not is_trading(location, local.date()) or local.date() in location.closed_days:
        return False
    return any(
        each.weekday == local.isoweekday() and each.opens <= local.time() < each.closes
        for each in location.hours
    )


def posts_to(location_id: str, day: date, locations: Mapping[str, Location]) -> str | None:
    """Give the location that books what comes for this one on a business day.

    Itself while it trades; after it closed the one it was merged into, if that trades. None when there
    is none, or the chain leads back: then it is a person's question.
    """
    seen: set[str] = set()
    while location_id in locations and location_id not in seen:
        location = locations[location_id]
        if is_trading(location, day):
            return location_id
        seen.add(location_id)
        location_id = location.merged_into
    return None


def location_breaches(location: Location) -> list[Breach]:
    """Give every rule that a location breaks."""
    return broken_rules(location, RULES)


def _zone(location: Location) -> Found:
    try:
        ZoneInfo(location.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "/zone", f"{location.zone} is no time zone. Write one such as America/New_York."


def _gln(location: Location) -> Found:
    if location.gln and not is_gln(location.gln):
        yield "/gln", f"{location.gln} is no global location number."


def _dates(location: Location) -> Found:
    opened, closed = location.opened_on, location.closed_on
    if opened is not None and closed is not None and closed < opened:
        yield "/closed_on", f"{location.name} closes before it opens."


def _successor(location: Location) -> Found:
    if location.merged_into == location.location_id:
        yield "/merged_into", f"{location.name} is not merged into itself."
    elif location.merged_into and location.closed_on is None:
        yield "/merged_into", f"{location.name} has a successor but no last day."


def _hours(location: Location) -> Found:
    ordered = sorted(enumerate(location.hours), key=lambda each: (each[1].weekday, each[1].opens))
    for (_, before), (place, after) in pairwise(ordered):
        if before.weekday == after.weekday and after.opens < before.closes:
            yield f"/hours/{place}", "These hours overlap with others of the same day."
    for place, hours in enumerate(location.hours):
        if hours.closes <= hours.opens:
            yield f"/hours/{place}", "A place closes after it opens, on the same day."


RULES: tuple[Rule[Location], ...] = (
    Rule("LOC-1", "error", _zone),
    Rule("LOC-2", "warning", _gln),
    Rule("LOC-3", "error", _dates),
    Rule("LOC-4", "error", _successor),
    Rule("LOC-5", "error", _hours),
)
