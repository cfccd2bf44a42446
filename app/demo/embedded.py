"""The servers of the demo: those that the environment names, or embedded ones that are kept running."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

from infra.embedded import servers
from infra.embedded.failure import EmbeddedServersError
from infra.embedded.paths import Report
from infra.embedded.servers import Servers
from infra.errors import PlatformError

LOOK_EVERY_S = 0.5
NAMES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


@dataclass(slots=True)
class Embedded:
    """The running servers of a folder; `restarts` counts by name, `trouble` says what does not work."""

    folder: Path
    urls: Servers
    restarts: dict[str, int] = field(default_factory=dict)
    trouble: str = ""

    async def keep_running(self) -> None:
        """Start again what has died, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            status = await asyncio.to_thread(servers.status, self.folder)
            running = {"PostgreSQL": status.is_postgres_running, "Redis": status.is_redis_running}
            dead = [name for name, is_running in running.items() if not is_running]
            if dead:
                await self._again(dead)

    def pids(self) -> dict[str, int]:
        """Give the ids of the main processes by name."""
        found = servers.pids(self.folder)
        first = {"PostgreSQL": found.postgres[:1], "Redis": found.redis[:1]}
        return {name: pids[0] for name, pids in first.items() if pids}

    def stop(self) -> None:
        """Shut both servers down."""
        servers.stop(self.folder)

    async def _again(self, dead: list[str]) -> None:
        for name in dead:
            self.restarts[name] = self.restarts.get(name, 0) + 1
        try:
            urls = await asyncio.to_thread(servers.start, self.folder, report=_silent)
        except EmbeddedServersError as fault:
            self.trouble = str(fault)
            return
        moved = "A server had to move to another port. End the demo and start it again."
        self.trouble = "" if urls == self.urls else moved


async def start_servers(folder: Path, report: Report) -> Embedded | None:
    """Start embedded servers unless the environment names some; then gives None.

    Afterwards the environment of this process names the servers either way.
    Raises EmbeddedServersError; PlatformError when only some of the three names are set.
    """
    named = [name for name in NAMES if name in os.environ]
    if named:
        missing = [name for name in NAMES if name not in os.environ]
        if missing:
            raise PlatformError(
                f"{named[0]} is set, and so {' and '.join(missing)} must be set too. Set all three,"
                " or none to use embedded servers.",
                code="demo.server_missing",
            )
        report("using the servers that DATABASE_URL and REDIS_URL name")
        return None
    urls = await asyncio.to_thread(servers.start, folder, report=report)
    given = (urls.app_url, urls.owner_url, urls.redis_url)
    os.environ.update(zip(NAMES, given, strict=True))
    return Embedded(folder, urls)


def _silent(_: str) -> None:
    """The screen shows the restart; a line would tear it."""
