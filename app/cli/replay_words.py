"""How a replay reads on a terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.exceptions.replay.read import Replay, ReplayItem

_STATES = {
    "previewing": "Previewing: {previewed:,} of {records:,} records.",
    "refused": "Refused.",
    "previewed": "Ready: {chosen:,} of {records:,} records can be brought. Nothing was sent yet.",
    "awaiting_approval": "Waits for a second person to approve it: {chosen:,} records.",
    "running": "Running: {finished:,} of {chosen:,} records done, {started:,} begun.",
    "done": "Done: {finished:,} of {records:,} records.",
    "cancelled": "Cancelled: {finished:,} of {started:,} begun records done.",
}


def progress_words(replay: Replay) -> str:
    """Say where a replay stands, in one sentence."""
    return _STATES[replay.state].format(
        previewed=replay.previewed,
        records=replay.records,
        chosen=replay.chosen,
        started=replay.started,
        finished=replay.finished,
    )


def facts(replay: Replay) -> dict[str, Any]:
    """Give everything about a replay."""
    return asdict(replay)


def total_rows(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Give a line for each kind: records and money."""
    return [
        {
            "what": kind,
            "records": f"{each['records']:,}",
            "money": ", ".join(f"{amount} {name}" for name, amount in each["amounts"].items()),
        }
        for kind, each in sorted(told.get("by", {}).items())
    ]


def item_row(item: ReplayItem) -> dict[str, Any]:
    """Give the line of one record."""
    return {
        "number": item.number,
        "record": item.label,
        "promised": item.promised,
        "happened": item.happened,
        "words": item.happened_words,
    }
