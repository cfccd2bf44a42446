"""Installs Tryton into a virtual environment of its own, from the hash-pinned lock beside this file."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.catalog.tryton.local.step import Step, Watch, run_step

LOCK = Path(__file__).with_name("requirements.lock")
INSTALL_TIMEOUT_S = 300

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Installed:
    """The programs of an installed Tryton."""

    venv: Path

    @property
    def admin(self) -> Path:
        """Creates and updates databases."""
        return self.venv / "bin" / "trytond-admin"

    @property
    def server(self) -> Path:
        """Serves the API."""
        return self.venv / "bin" / "trytond"


def install(venv: Path, report: Report, watch: Watch) -> Installed:
    """Make the virtual environment unless it already holds exactly what the lock says.

    Safe to repeat and after an interruption: the stamp is written last.
    """
    stamp = venv / ".lock-digest"
    wanted = lock_digest()
    if stamp.is_file() and stamp.read_text("ascii") == wanted:
        return Installed(venv)
    packages = sum(line[:1].isalnum() for line in LOCK.read_text("ascii").splitlines())
    report(f"installing Tryton: {packages} packages by their hashes into {venv}")
    uv = _find_uv()
    for command in _with_uv(uv, venv) if uv else _with_pip(venv):
        _run(command, venv, watch)
    stamp.write_text(wanted, "ascii")
    return Installed(venv)


def lock_digest() -> str:
    """Identify what the lock would install; it changes when any version changes."""
    return hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()


def _find_uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def _with_uv(uv: str, venv: Path) -> list[Sequence[str]]:
    make = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)]
    sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", str(LOCK)]
    return [make, sync]


def _with_pip(venv: Path) -> list[Sequence[str]]:
    make = [sys.executable, "-m", "venv", "--clear", str(venv)]
    pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    return [make, [*pip, "--require-hashes", "--requirement", str(LOCK)]]


def _run(command: Sequence[str], venv: Path, watch: Watch) -> None:
    venv.parent.mkdir(parents=True, exist_ok=True)
    log = venv.with_name(f"{venv.name}-install.log")
    environment = {"VIRTUAL_ENV": str(venv)}
    run_step(
        Step("Installing Tryton", command, log, INSTALL_TIMEOUT_S, environment),
        watch,
    )
