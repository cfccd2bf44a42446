"""Starts, stops, repairs, kills and removes the embedded servers of one data folder.

Rules: one process at a time works on a data folder (a file lock). Calling anything twice is safe.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, assert_never

import psutil

from infra.embedded import postgres, processes, redis
from infra.embedded.account import Account, server_account
from infra.embedded.binaries import find_postgres, find_redis
from infra.embedded.failure import EmbeddedServersError
from infra.embedded.passwords import Passwords, load_or_create
from infra.embedded.paths import Layout, Report, locate, own_room, prepare
from infra.embedded.ports import LOOPBACK, Ports, answers, free_port, remember, remembered

Which = Literal["postgres", "redis"]
# A stranger can take a port between our look and the server's start.
PORT_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the running servers are; the addresses carry passwords and are never printed."""

    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)
    redis_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Status:
    """What runs for a data folder; a port is known after the first start."""

    is_postgres_running: bool
    is_redis_running: bool
    ports: Ports | None


@dataclass(frozen=True, slots=True)
class Pids:
    """Process ids, the main process first; empty for a server that does not run."""

    postgres: tuple[int, ...]
    redis: tuple[int, ...]


def start(data_dir: Path, *, report: Report) -> Servers:
    """Have both servers running on this folder's data and say where they are.

    Takes:  the data folder, made when missing; `report` gets one plain sentence per event.
    Rules:  a running server is reused; one that was killed is repaired; data is never reset.
    Raises: EmbeddedServersError with the way out.
    """
    account = server_account(data_dir)
    layout = locate(data_dir, account)
    with _locked(layout):
        prepare(layout, report)
        cluster = _cluster(layout, account, report)
        passwords = load_or_create(layout.passwords, may_create=not postgres.exists(cluster))
        chosen = _start_redis(layout, account, passwords, report)
        chosen = _start_postgres(cluster, layout, passwords, chosen, report)
        redis.wait_ready(_store(layout, account, report), chosen.redis, passwords.redis)
    return _addresses(chosen, passwords)


def stop(data_dir: Path) -> bool:
    """Shut both servers down cleanly. Tells whether any was running."""
    layout = locate(data_dir, server_account(data_dir))
    with _locked(layout):
        stopped = [postgres.stop(folder) for folder in _clusters(layout)]
        stopped.append(redis.stop(layout.redis))
    return any(stopped)


def remove(data_dir: Path) -> None:
    """Stop both servers and delete the folder with all data in it."""
    stop(data_dir)
    layout = locate(data_dir, server_account(data_dir))
    if layout.rooms != layout.home:
        shutil.rmtree(layout.rooms.parent, ignore_errors=True)
    shutil.rmtree(layout.home)


def status(data_dir: Path) -> Status:
    """Look at what runs, changing nothing."""
    layout = locate(data_dir, server_account(data_dir))
    alive = pids(data_dir)
    return Status(bool(alive.postgres), bool(alive.redis), remembered(layout.ports))


def pids(data_dir: Path) -> Pids:
    """List the processes of both servers, for tests that watch or disturb them."""
    layout = locate(data_dir, server_account(data_dir))
    return Pids(
        postgres=tuple(process.pid for process in _postgres_processes(layout)),
        redis=tuple(process.pid for process in _redis_processes(layout)),
    )


def kill(data_dir: Path, which: Which) -> None:
    """End one server with SIGKILL, all of its processes at once, as a power cut would."""
    layout = locate(data_dir, server_account(data_dir))
    match which:
        case "postgres":
            # The postmaster comes first: it would replace killed children.
            processes.kill(_postgres_processes(layout))
        case "redis":
            processes.kill(_redis_processes(layout))
        case _:
            assert_never(which)


@contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    try:
        file = layout.lock.open("w")
    except PermissionError as error:
        raise EmbeddedServersError(
            f"{layout.home} belongs to another user. Run as that user or choose another folder."
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _cluster(layout: Layout, account: Account, report: Report) -> postgres.Cluster:
    programs = find_postgres(account, report)
    return postgres.Cluster(layout.postgres(programs.major), programs, account)


def _store(layout: Layout, account: Account, report: Report) -> redis.Store:
    return redis.Store(layout.redis, find_redis(account, report), account)


def _start_redis(layout: Layout, account: Account, passwords: Passwords, report: Report) -> Ports:
    known = remembered(layout.ports)
    own_room(layout.redis, account)
    if known and redis.running(layout.redis):
        return known
    port = free_port(known.redis if known else None)
    if known and port != known.redis:
        report(f"port {known.redis} is taken by another program; Redis moves to {port}")
    chosen = Ports(postgres=known.postgres if known else free_port(), redis=port)
    remember(layout.ports, chosen)
    # Only when the file of ports was lost: a running server whose port nobody knows is of no use.
    redis.stop(layout.redis)
    redis.launch(_store(layout, account, report), port, passwords.redis)
    return chosen


def _start_postgres(
    cluster: postgres.Cluster, layout: Layout, passwords: Passwords, chosen: Ports, report: Report
) -> Ports:
    if postgres.running(cluster.folder):
        return _adopt_running(cluster, layout, chosen)
    if not postgres.exists(cluster):
        report(f"creating a PostgreSQL {cluster.programs.major} database in {cluster.folder}")
        postgres.initialise(cluster, passwords)
    if postgres.repair(cluster):
        report("PostgreSQL was not shut down cleanly last time; it recovers from its log")
    for _ in range(PORT_ATTEMPTS - 1):
        chosen = _choose_postgres_port(layout, chosen, report)
        try:
            postgres.start(cluster, chosen.postgres)
        except EmbeddedServersError:
            if not answers(chosen.postgres):
                raise
        else:
            return chosen
    chosen = _choose_postgres_port(layout, chosen, report)
    postgres.start(cluster, chosen.postgres)
    return chosen


def _choose_postgres_port(layout: Layout, chosen: Ports, report: Report) -> Ports:
    port = free_port(chosen.postgres)
    if port == chosen.postgres:
        return chosen
    report(f"port {chosen.postgres} is taken by another program; PostgreSQL moves to {port}")
    moved = replace(chosen, postgres=port)
    remember(layout.ports, moved)
    return moved


def _adopt_running(cluster: postgres.Cluster, layout: Layout, chosen: Ports) -> Ports:
    # The server itself knows best: the file of ports may be lost or older.
    port = postgres.running_port(cluster.folder) or chosen.postgres
    adopted = replace(chosen, postgres=port)
    remember(layout.ports, adopted)
    return adopted


def _addresses(chosen: Ports, passwords: Passwords) -> Servers:
    place = f"{LOOPBACK}:{chosen.postgres}/{postgres.DATABASE}"
    return Servers(
        owner_url=f"postgresql://{postgres.OWNER}:{passwords.owner}@{place}",
        app_url=f"postgresql://{postgres.LOGIN}:{passwords.login}@{place}",
        redis_url=f"redis://:{passwords.redis}@{LOOPBACK}:{chosen.redis}/0",
    )


def _clusters(layout: Layout) -> list[Path]:
    # All versions: the one that runs may not be the one that is asked for now.
    return sorted(layout.rooms.glob("postgres[0-9][0-9]"))


def _postgres_processes(layout: Layout) -> list[psutil.Process]:
    postmasters = [postgres.running(folder) for folder in _clusters(layout)]
    return [
        process
        for postmaster in postmasters
        if postmaster is not None
        for process in processes.with_children(postmaster)
    ]


def _redis_processes(layout: Layout) -> list[psutil.Process]:
    server = redis.running(layout.redis)
    return [] if server is None else processes.with_children(server)
