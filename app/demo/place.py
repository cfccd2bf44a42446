"""Where the demo keeps things: one folder, used by one demo at a time."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.demo.world import Addresses
from infra.embedded.ports import free_port
from infra.errors import PlatformError

MASTER_KEY_BYTES = 32
MASTER_KEY_NAMES = ("TILLWIRE_MASTER_KEY", "TILLWIRE_MASTER_KEY_FILE")


@dataclass(frozen=True, slots=True)
class Options:
    """How the demo runs: where its data lies, which port it serves, how fast shop and tills sell.

    `until_delivered` ends everything after the first web order stands in the ERP; `export` names a
    file that the last picture of the screen is written to (SVG).
    """

    data: Path
    port: int = 8000
    orders_per_s: float = 0.5
    ticket_every_s: float = 2.0
    until_delivered: bool = False
    export: Path | None = None

    @property
    def api_key(self) -> Path:
        """The key of the retailer's API."""
        return self.data / "api-key"

    @property
    def api_header(self) -> Path:
        """The same key as the header that `curl -H @file` sends."""
        return self.data / "api-header"

    @property
    def environment(self) -> Path:
        """Settings for other commands, to be read by a shell."""
        return self.data / "env"

    @property
    def logs(self) -> Path:
        """What the processes say."""
        return self.data / "logs"

    @property
    def inbox(self) -> Path:
        """The root of the folders in which tills leave files."""
        return self.data / "inbox"


@contextmanager
def claimed(data: Path) -> Iterator[None]:
    """Hold the folder for this demo alone; the claim ends with the process, however it ends.

    Raises PlatformError when another demo runs on it, or when it cannot be made.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        file = (data / "up.lock").open("w")
    except OSError as fault:
        raise PlatformError(
            f"{data} cannot be used: {fault.strerror}. Name another folder with --data.",
            code="demo.folder_unusable",
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PlatformError(
                f"Another demo runs on {data}. End it with Ctrl-C, or name another folder with"
                " --data.",
                code="demo.folder_in_use",
            ) from None
        yield


def choose_master_key(data: Path) -> None:
    """Make the key that encrypts everything in this folder, once, readable by its owner alone."""
    if any(name in os.environ for name in MASTER_KEY_NAMES):
        return
    path = data / "master.key"
    if not path.exists():
        write_private(path, base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode())
    os.environ["TILLWIRE_MASTER_KEY_FILE"] = str(path.resolve())


def choose_addresses(options: Options) -> Addresses:
    """Choose the ports of shop and ERP and remember them; another is taken only when it must.

    Raises PlatformError when the API's own port is taken: people and senders know that one.
    """
    if free_port(options.port) != options.port:
        raise PlatformError(
            f"Port {options.port} is used by another program. Choose another one:"
            " `make run ARGS='--port 8001'`, or `tillwire up --port 8001`.",
            code="demo.port_in_use",
        )
    path = options.data / "addresses.json"
    kept = _kept(path)
    chosen = {name: free_port(kept.get(name)) for name in ("shop", "erp")}
    if chosen != kept:
        write_private(path, json.dumps(chosen))
    return Addresses(web=options.port, **chosen)


def write_environment(path: Path, settings: Mapping[str, str]) -> None:
    """Write settings as a file that a shell reads with `.`; it holds passwords."""
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()]
    write_private(path, "".join(lines))


def write_private(path: Path, content: str) -> None:
    """Write a file for its owner's eyes only, whole or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)


def _kept(path: Path) -> dict[str, int]:
    try:
        found: dict[str, int] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found
