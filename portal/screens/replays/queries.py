"""What the pages of replays show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.api.paging import cursor_after, read_cursor
from app.exceptions.replay.read import ItemFilter, Replay, list_items, list_replays, read_replay
from app.exceptions.replay.receipt import is_as_promised
from infra.ids import Id
from portal.door.desk import Desk
from portal.page.words import moneys
from tenants.roles import Permission

PAGE, ITEMS = 30, 100
_LIST = "portal replays"
STATES: dict[str, tuple[str, str]] = {
    "previewing": ("mute", "being previewed"),
    "refused": ("bad", "refused"),
    "previewed": ("warn", "ready to start"),
    "awaiting_approval": ("warn", "waits for a second person"),
    "running": ("warn", "running"),
    "done": ("ok", "done"),
    "cancelled": ("mute", "cancelled"),
}
# What is promised, or happened, in words; and its tone.
KINDS: dict[str, tuple[str, str]] = {
    "create": ("ok", "will be made there"),
    "update": ("ok", "will be brought up to date"),
    "no_op": ("mute", "is there already, nothing changes"),
    "stale": ("mute", "is older than what is there, only noted"),
    "conflict": ("bad", "is left out: not safe"),
    "read_again": ("ok", "will be read again"),
    "held": ("bad", "held again"),
    "partly": ("warn", "partly"),
    "left_out": ("mute", "left out"),
    "discarded": ("mute", "given up"),
    "cancelled": ("mute", "cancelled"),
}
UNDER_WAY = ("previewing", "running")


async def listed(desk: Desk, cursor: str | None) -> dict[str, Any]:
    """Give one page of replays, newest first."""
    before = read_cursor(_LIST, cursor)
    found = await list_replays(desk.scope, desk.parts.database, before, PAGE + 1)
    page = found[:PAGE]
    more = len(found) > PAGE
    return {
        "replays": page,
        "states": STATES,
        "next_cursor": cursor_after(_LIST, page[-1].id) if more else None,
    }


async def one(desk: Desk, replay_id: Id, *, only_differences: bool) -> dict[str, Any]:
    """Give one replay with what it promises or what happened, and what may be done now."""
    replay = await read_replay(desk.scope, desk.parts.database, replay_id)
    wanted = ItemFilter(only_differences=only_differences)
    items = await list_items(desk.scope, desk.parts.database, replay_id, wanted, ITEMS)
    own = desk.scope.actor in (replay.created_by, replay.started_by)
    return {
        "replay": replay,
        "items": items,
        "as_promised": is_as_promised,
        "promised": _totals(replay.preview),
        "happened": _totals(replay.receipt),
        "effects": list(replay.preview.get("effects", {}).items()),
        "states": STATES,
        "kinds": KINDS,
        "only_differences": only_differences,
        "is_under_way": replay.state in UNDER_WAY,
        "share_percent": _share_percent(replay),
        "may_start": replay.state == "previewed" and desk.may(Permission.REPLAYS_RUN),
        "may_approve": replay.state == "awaiting_approval"
        and desk.may(Permission.REPLAYS_APPROVE)
        and not own,
        "may_cancel": replay.state not in ("done", "refused", "cancelled")
        and desk.may(Permission.REPLAYS_RUN),
    }


def _totals(told: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Give kind, records and money of a preview or receipt."""
    return [
        (
            kind,
            each["records"],
            moneys({name: Decimal(amount) for name, amount in each["amounts"].items()}),
        )
        for kind, each in sorted(told.get("by", {}).items(), key=lambda one: -one[1]["records"])
    ]


def _share_percent(replay: Replay) -> int:
    """Say how far it is: looked at while previewing, known to the end while running."""
    done, of = (
        (replay.previewed, replay.records)
        if replay.state == "previewing"
        else (replay.finished, replay.chosen)
    )
    return round(100 * done / of) if of else 0
