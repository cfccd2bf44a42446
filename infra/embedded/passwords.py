"""The generated passwords of the embedded servers, kept in one file that only we can read."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from infra.embedded.failure import EmbeddedServersError


@dataclass(frozen=True, slots=True)
class Passwords:
    """One password per role; hidden from `repr` so that no log or traceback shows them."""

    superuser: str = field(repr=False)
    owner: str = field(repr=False)
    login: str = field(repr=False)
    redis: str = field(repr=False)


def load_or_create(path: Path, *, may_create: bool) -> Passwords:
    """Read the passwords, or make them on the first start.

    Raises: EmbeddedServersError when data exists for which the passwords are gone or unreadable.
    """
    if path.exists():
        return _read(path)
    if not may_create:
        raise EmbeddedServersError(
            f"{path} is missing but the servers' data is there. Put the file back from a backup, "
            f"or delete {path.parent} to begin with an empty database."
        )
    passwords = Passwords(*(secrets.token_hex(24) for _ in fields(Passwords)))
    _write(path, passwords)
    return passwords


def _read(path: Path) -> Passwords:
    try:
        return Passwords(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise EmbeddedServersError(
            f"{path} cannot be read as passwords. Put it back from a backup."
        ) from error


def _write(path: Path, passwords: Passwords) -> None:
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    # Created closed: a later chmod would leave a moment in which others can read it.
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(passwords), file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
