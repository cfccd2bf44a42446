"""Say what an incident is, in plain words with the money; no technics, no content of records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.exceptions.incidents.measure import Measured
from app.exceptions.incidents.nouns import counted, field, listed, moment, money, things
from app.exceptions.incidents.rules import reason_of, rules_of, title_of

SHOPS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Setting:
    """Where it happens: what people call the system, and the retailer's time zone."""

    system: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class About:
    """Which trouble it is, since when (UTC)."""

    error_class: str
    code: str
    pointer: str
    since_at: datetime


def title(about: About, measured: Measured, setting: Setting) -> str:
    """Say the trouble in one sentence: "ERP has not answered since 20 Nov, 02:10; 12 orders wait"."""
    pattern = title_of(about.error_class, about.code, is_from_source=measured.is_from_source)
    if not measured.records:
        pattern = pattern.removesuffix("; {what} wait")
    said = pattern.format(
        system=setting.system,
        what=things(measured.families, measured.records) if measured.records else "records",
        since=moment(about.since_at, setting.timezone),
        why=_why(about),
    )
    # A sentence begins with a capital, but a system is written as its owner writes it.
    return said if pattern.startswith("{system}") else f"{said[:1].upper()}{said[1:]}"


def words(measured: Measured, setting: Setting) -> str:
    """Say what it costs: records, money, shops, and when the first of them is due."""
    if not measured.records:
        return "Nothing is held or waiting now."
    parts = [_how_many(measured), _how_much(measured), _where(measured)]
    return " ".join(part for part in [*parts, deadline(measured, setting)] if part)


def deadline(measured: Measured, setting: Setting) -> str:
    """Say when the first record is due; empty when none has a deadline."""
    if measured.deadline_at is None:
        return ""
    return f"The first of them is due by {moment(measured.deadline_at, setting.timezone)}."


def next_step(error_class: str, system: str) -> str:
    """Say what to do first."""
    return rules_of(error_class).next_step.format(system=system)


def _why(about: About) -> str:
    at = field(about.pointer)
    return f"{reason_of(about.code)} ({at})" if at else reason_of(about.code)


def _how_many(measured: Measured) -> str:
    kinds = listed(
        [counted(objects, kind or "record") for kind, objects in sorted(measured.families.items())]
    )
    held = f"{counted(measured.held, 'record')} held for a decision" if measured.held else ""
    waiting = f"{counted(measured.waiting, 'record')} waiting" if measured.waiting else ""
    return f"{listed([each for each in (held, waiting) if each])} ({kinds})."


def _how_much(measured: Measured) -> str:
    return f"{money(measured.at_risk)} at risk." if measured.at_risk else ""


def _where(measured: Measured) -> str:
    if not measured.shops:
        return ""
    named = list(measured.shops[:SHOPS_NAMED])
    more = len(measured.shops) - len(named)
    return f"Concerned: {listed([*named, f'{more} more'] if more else named)}."
