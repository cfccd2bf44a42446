"""An edit under way: what a person gave, in whose scope, under which keys, of which hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.exceptions.hold import Hold
from infra.database.scope import TenantScope
from infra.database.unit import Session
from infra.errors import Unprocessable
from infra.keys.vault import TenantKey, Vault


@dataclass(frozen=True, slots=True)
class Edit:
    """The new content: `body` for a held message, `event` (`head` and `body`) for a held delivery."""

    reason: str
    body: bytes | None = None
    event: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class EditUnderWay:
    """One edit within its transaction; `key` seals the new content."""

    session: Session
    scope: TenantScope
    vault: Vault
    key: TenantKey
    hold: Hold


@dataclass(frozen=True, slots=True)
class Replaced:
    """The content before and after, and the number of the new revision."""

    before: bytes
    after: bytes
    revision: int


class WrongContent(Unprocessable):
    """What was given does not fit what is held."""

    code = "edit.wrong_kind"
