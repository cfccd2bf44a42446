"""The retailers' own systems as processes of this machine: targets that log, and senders that tell."""

from __future__ import annotations

import asyncio
import secrets
import sys
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.demo.children import Child
from app.demo.left_overs import mark_of
from app.demo.monday.world import ARTICLES, TARGETS, Telling
from app.demo.place import write_private

TARGET = (sys.executable, "-m", "connectors.catalog.http.emulator")
SENDER = (sys.executable, "-m", "connectors.catalog.http.emulator.sender")
SECRETS = ("maple-shop", "warehouse", "northgate-shop", *TARGETS)
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Place:
    """Where the run keeps logs and secrets, and where the product listens."""

    folder: Path
    port: int

    def log_of(self, name: str) -> Path:
        """Name the log of a target or a sender."""
        return self.folder / f"{name}.jsonl"

    def secret_of(self, name: str) -> Path:
        """Name the file with the secret that a system and the product share."""
        return self.folder / f"{name}.secret"


def new_secret() -> str:
    """Make a signing secret in the form of Standard Webhooks."""
    return "whsec_" + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def make_secrets(place: Place) -> dict[str, Path]:
    """Make the secrets of all systems, each in a file of the owner's."""
    for name in SECRETS:
        write_private(place.secret_of(name), new_secret())
    return {name: place.secret_of(name) for name in SECRETS}


def target_process(place: Place, name: str, port: int) -> Child:
    """Describe a target; the bookseller's ERP refuses articles that it does not know."""
    command = [*TARGET, "--port", str(port), "--log", str(place.log_of(name))]
    if name in TARGETS:
        command += ["--secret", place.secret_of(name).read_text("ascii")]
    if name == "northgate-erp":
        command += ["--articles", *ARTICLES.values()]
    return Child(name, command, mark_of(place.folder), ends_last=True)


async def tell(place: Place, hook: str, secret: Path, telling: Telling) -> Path:
    """Let an emulated sender tell everything, and give its log; raises RuntimeError when it fails."""
    log = place.log_of(telling.name)
    command = [*SENDER, *_arguments(place, hook, secret, telling), "--log", str(log)]
    process = await asyncio.create_subprocess_exec(*command, start_new_session=True)
    try:
        code = await process.wait()
    except BaseException:
        process.terminate()
        raise
    if code:
        raise RuntimeError(f"The sender {telling.name} ended with {code}")
    return log


def _arguments(place: Place, hook: str, secret: Path, telling: Telling) -> Sequence[str]:
    story = telling.story
    given = {
        "hook-url": f"http://127.0.0.1:{place.port}{hook}",
        "secret-file": str(secret),
        "kind": story.kind,
        "prefix": story.prefix,
        "articles": ",".join(story.articles),
        "seed": str(story.seed),
        "cancel-every": str(story.cancel_every),
        "first": str(telling.first),
        "count": str(telling.count),
    }
    return [part for name, text in given.items() for part in (f"--{name}", text)]
