"""Brings the local Tryton up: install, initialise, seed, serve; each step only when it is missing."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from dataclasses import dataclass
from datetime import date
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from connectors.catalog.tryton.local.catalogue import SAMPLE, Article, as_json
from connectors.catalog.tryton.local.database import NAME, Place, initialise, write_config
from connectors.catalog.tryton.local.failure import LocalTrytonError
from connectors.catalog.tryton.local.install import Installed, Report, install
from connectors.catalog.tryton.local.rpc import Rpc
from connectors.catalog.tryton.local.seed import Seeded, Shop, seed
from connectors.catalog.tryton.local.step import Watch

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 10
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What to bring up: everything lives under `folder`, except a PostgreSQL database.

    `venv` may be shared by several folders; it is `folder/venv` when not given.
    """

    folder: Path
    port: int
    today: date
    server_uri: str = ""
    articles: tuple[Article, ...] = SAMPLE
    currency: str = "USD"
    venv: Path | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A serving Tryton. The key opens its REST API; it stands in `key_file` (mode 600) only."""

    process: subprocess.Popen[bytes]
    base_url: str
    settings: dict[str, Any]
    key_file: Path

    def stop(self) -> None:
        """End the server; its data stays."""
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def launch(plan: Plan, report: Report, watch: Watch | None = None) -> Running:
    """Bring Tryton up and wait until it answers; blocking, so call it in a thread.

    Safe to repeat: a finished database is only served; an unfinished one is made anew.
    Raises: LocalTrytonError with the step, the cause and the way out.
    """
    plan.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    watch = watch or Watch()
    place = Place(plan.folder.resolve(), plan.server_uri)
    installed = install(plan.venv or place.folder / "venv", report, watch)
    config = write_config(place, plan.port)
    if place.is_finished() and _settings_file(place).is_file():
        if _catalogue_file(place).read_text("utf-8") != as_json(plan.articles):
            report("the article list has changed; this database keeps the one of its first start")
        process = _serve(installed, config, place, plan.port, watch)
    else:
        process = _make(plan, place, installed, config, report, watch)
    report(f"Tryton answers on http://127.0.0.1:{plan.port}")
    settings = json.loads(_settings_file(place).read_text("utf-8"))
    return Running(process, f"http://127.0.0.1:{plan.port}", settings, _key_file(place))


def _make(
    plan: Plan, place: Place, installed: Installed, config: Path, report: Report, watch: Watch
) -> subprocess.Popen[bytes]:
    place.create_empty()
    password = secrets.token_urlsafe(24)
    _write_secret(place.folder / "admin-password", password)
    initialise(installed, config, place.folder / "admin-password", report, watch)
    process = _serve(installed, config, place, plan.port, watch)
    try:
        report(f"seeding {len(plan.articles)} articles, books, tills and customers")
        shop = Shop(plan.articles, plan.today, plan.currency)
        _keep(place, seed(Rpc(plan.port, NAME, password), shop))
        _catalogue_file(place).write_text(as_json(plan.articles), "utf-8")
    except BaseException:
        process.kill()
        process.wait()
        raise
    place.finish()
    return process


def _serve(
    installed: Installed, config: Path, place: Place, port: int, watch: Watch
) -> subprocess.Popen[bytes]:
    if _answers(port):
        raise LocalTrytonError(f"Something already serves on port {port}. Stop it first.")
    command = [str(installed.server), "-c", str(config), "-d", NAME]
    log_path = place.folder / "trytond.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - every argument is ours, no shell is involved
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=place.folder,
            env={**os.environ, **watch.environment},
            start_new_session=True,
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(port):
        over = watch.is_given_up() or time.monotonic() > deadline
        if process.poll() is not None or over:
            process.kill()
            process.wait()
            tail = log_path.read_text("utf-8", errors="replace")[-600:]
            raise LocalTrytonError(f"Tryton did not start on port {port}: {tail}")
        time.sleep(POLL_S)
    return process


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        # Any answer will do; without a key this one is 401.
        connection.request("GET", f"/{NAME}/rest/model/ir.lang")
        connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def _keep(place: Place, seeded: Seeded) -> None:
    _write_secret(_key_file(place), seeded.key)
    _settings_file(place).write_text(json.dumps(seeded.settings, indent=1, sort_keys=True), "utf-8")


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret + "\n", "utf-8")


def _settings_file(place: Place) -> Path:
    return place.folder / "settings.json"


def _key_file(place: Place) -> Path:
    return place.folder / "rest-key"


def _catalogue_file(place: Place) -> Path:
    return place.folder / "catalogue.json"
