"""What the menu offers a person, in which order, and where they are."""

from __future__ import annotations

from dataclasses import dataclass

from portal.door.desk import Desk
from portal.door.viewer import Viewer
from tenants.roles import Permission

_P = Permission
# icon, name, address below the retailer's, permission
_OF_RETAILER: tuple[tuple[str, str, str, Permission], ...] = (
    ("home", "Today", "/today", _P.EXCEPTIONS_READ),
    ("alert-circle", "Incidents", "/incidents", _P.EXCEPTIONS_READ),
    ("list-check", "To decide", "/exceptions", _P.EXCEPTIONS_READ),
    ("timeline", "Find an order or item", "/find", _P.MESSAGES_READ),
    ("history", "Replays", "/replays", _P.EXCEPTIONS_READ),
    ("plug-connected", "Connections", "/connections", _P.CONNECTIONS_READ),
)
_WIDE: tuple[tuple[str, str, str], ...] = (
    ("layout-dashboard", "Now", "/now"),
    ("alert-circle", "Incidents", "/incidents"),
    ("buildings", "Retailers", "/retailers"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu."""

    icon: str
    name: str
    href: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """The menu: pages over all retailers, pages of the one that is open."""

    wide: tuple[Entry, ...]
    of_retailer: tuple[Entry, ...]
    search: str


def menu_of(viewer: Viewer, desk: Desk | None, path: str) -> Menu:
    """Make the menu; what a role does not include is not offered."""
    wide = tuple(
        Entry(icon, name, href, path == href)
        for icon, name, href in (_WIDE if viewer.is_wide else ())
    )
    own = (
        tuple(
            Entry(icon, name, desk.path + href, path.startswith(desk.path + href))
            for icon, name, href, needed in _OF_RETAILER
            if desk.may(needed)
        )
        if desk
        else ()
    )
    search = f"{desk.path}/find" if desk else "/find"
    return Menu(wide, own, search)
