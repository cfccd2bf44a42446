"""Where the embedded servers keep their files.

Rules: what the servers read must be reachable by the account that runs them. Under a closed
       folder such as /root that is impossible, so root then keeps it in a folder under /var/lib.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.account import Account
from infra.embedded.failure import EmbeddedServersError

Report = Callable[[str], None]

# Not /var/tmp: it is swept by age on many systems, and its names can be taken by anyone.
RELOCATED = Path("/var/lib/tillwire")


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one installation. `home` is ours alone, `rooms` belongs to the servers."""

    home: Path
    rooms: Path

    @property
    def lock(self) -> Path:
        """Held while servers are started, stopped or repaired."""
        return self.home / "servers.lock"

    @property
    def passwords(self) -> Path:
        """The only copy of the generated passwords, mode 0600."""
        return self.home / "passwords.json"

    @property
    def ports(self) -> Path:
        """The ports chosen on the first start."""
        return self.home / "ports.json"

    @property
    def redis(self) -> Path:
        """The working folder of Redis: append-only file, pid file and log."""
        return self.rooms / "redis"

    def postgres(self, major: int) -> Path:
        """The cluster of one major version; versions cannot read each other's files."""
        return self.rooms / f"postgres{major}"


def locate(data_dir: Path, account: Account) -> Layout:
    """Say where everything is for this data folder; creates that folder and nothing else."""
    home = data_dir.resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedServersError(f"{home} cannot be made: {error.strerror}.") from error
    moved = relocated(home) / "data"
    # Data that was once moved stays there, also when the folder is opened later.
    is_moved = account.is_other and (moved.is_dir() or not account.can_reach(home))
    return Layout(home, moved if is_moved else home)


def relocated(path: Path, version: str = "") -> Path:
    """Give the reachable stand-in of a folder that the servers' account cannot enter."""
    digest = hashlib.sha256(f"{path.resolve()}:{version}".encode()).hexdigest()[:12]
    return RELOCATED.resolve() / digest


def prepare(layout: Layout, report: Report) -> None:
    """Create the folder that holds the servers' folders and say so when it is somewhere else."""
    if layout.rooms == layout.home or layout.rooms.is_dir():
        return
    report(f"{layout.home} is closed to the servers' account; their files are in {layout.rooms}")
    layout.rooms.mkdir(mode=0o755, parents=True)
    for folder in (RELOCATED, layout.rooms.parent, layout.rooms):
        folder.chmod(0o755)


def own_room(path: Path, account: Account) -> None:
    """Create a server's folder, closed to everyone but its account; calling twice is safe."""
    path.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)
    account.give(path)
