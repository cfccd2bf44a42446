"""The first sentence of a page: made in one place, from the very things that the page shows."""

from __future__ import annotations

from collections.abc import Sequence

from app.exceptions.incidents.incident import Incident
from portal.page.words import moneys, plural
from portal.reach import Reached, total

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
SHOPS_NAMED = 3
TONES = {-1: "ok", 0: "mute", 1: "warn", 2: "bad", 3: "bad"}
# How urgent an incident is, in the words of people on duty.
SEVERITIES = {0: "watch", 1: "soon", 2: "now", 3: "at once"}


def tone_of(severity: int) -> str:
    """Give the tone of a severity: ok, mute, warn or bad."""
    return TONES[severity]


def verdict_of_shop(incidents: Sequence[Incident], held: int) -> str:
    """Say whether a shop is all right: "Two things need attention. Everything else is running.".

    Takes: the incidents that the page lists, and how many records wait for a person.
    """
    number = len(incidents)
    if number:
        spoken = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
        things = "thing needs" if number == 1 else "things need"
        return f"{spoken} {things} attention. Everything else is running."
    if held:
        waits = "waits" if held == 1 else "wait"
        return f"{plural(held, 'record')} {waits} for a decision. Everything else is running."
    return "Everything is running. Nothing needs you."


def verdict_of_all(retailers: Sequence[Reached]) -> str:
    """Say where money is at risk: "2 of 12 retailers need attention, $4,120 at risk."."""
    if not retailers:
        return "There is no retailer here yet."
    ill = [each for each in retailers if each.incidents]
    if not ill:
        whole = "Your retailer is" if len(retailers) == 1 else f"All {len(retailers)} retailers are"
        return f"{whole} running."
    money = moneys(total(each.at_risk for each in ill))
    needs = "needs" if len(ill) == 1 else "need"
    risk = f", {money} at risk" if money else ""
    return f"{len(ill)} of {plural(len(retailers), 'retailer')} {needs} attention{risk}."


def cost(incident: Incident) -> str:
    """Say what an incident costs for now: records first, then money."""
    if not incident.records:
        return "Nothing is held or waits now"
    verb = "waits" if incident.records == 1 else "wait"
    money = moneys(incident.at_risk)
    return f"{plural(incident.records, 'record')} {verb}" + (f" · {money} at risk" if money else "")


def concerned(incident: Incident) -> str:
    """Say whom it concerns, and when the first record is due."""
    named = ", ".join(incident.shops[:SHOPS_NAMED])
    more = len(incident.shops) - SHOPS_NAMED
    where = f"Concerned: {named}{f' and {more} more' if more > 0 else ''}." if named else ""
    return f"{where} {incident.deadline_words}".strip()


def who_is_on_it(retailers: Sequence[Reached]) -> str:
    """Say how much of it nobody has taken yet."""
    incidents = sum(len(each.incidents) for each in retailers)
    unowned = sum(each.unowned for each in retailers)
    if not incidents:
        return "nothing is open"
    taken = "somebody is on each" if not unowned else f"nobody is on {unowned} of them yet"
    if unowned == incidents:
        taken = "nobody is on it yet" if incidents == 1 else "nobody is on any of them yet"
    return f"{plural(incidents, 'incident')} open, {taken}"
