"""One embedded PostgreSQL cluster: made once with its roles, started, repaired, stopped."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.embedded import ports, processes
from infra.embedded.account import Account
from infra.embedded.binaries import PostgresPrograms
from infra.embedded.failure import EmbeddedServersError
from infra.embedded.passwords import Passwords
from infra.embedded.paths import own_room

DATABASE = "tillwire"
SUPERUSER = "postgres"
OWNER = "tillwire_owner"
LOGIN = "tillwire_login"
# The owner migrates and may make scratch databases for tests; the login role may nothing of itself.
OWNER_RIGHTS = "LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE CREATEDB"
LOGIN_RIGHTS = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOINHERIT"
# Crash recovery after a long run replays up to max_wal_size; minutes on a slow disk.
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 30
# A backend notices the death of its postmaster at once, unless it is busy computing.
ORPHAN_TIMEOUT_S = 3
LOG_TAIL_LINES = 12
BUILTIN_LOCALE_SINCE = 17

SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    # No socket file: its path may be at most 107 bytes long, and everything here speaks TCP.
    "unix_socket_directories": "",
    "max_connections": "200",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "160MB",
    "max_wal_size": "2GB",
    "min_wal_size": "128MB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    # Compiling a plan costs more than any of our short statements.
    "jit": "off",
    "autovacuum_naptime": "10s",
    # A worker that dies must not keep its locks until TCP notices.
    "client_connection_check_interval": "1s",
    "idle_in_transaction_session_timeout": "15s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "500ms",
    "log_lock_waits": "on",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data folder, the programs for its version and the account that runs them."""

    folder: Path
    programs: PostgresPrograms
    account: Account

    @property
    def log(self) -> Path:
        """What the server says; shown in part when a start fails."""
        return self.folder / "server.log"


def exists(cluster: Cluster) -> bool:
    """Tell whether the first start was completed."""
    return (cluster.folder / "PG_VERSION").is_file()


def initialise(cluster: Cluster, passwords: Passwords) -> None:
    """Make the cluster, its roles and its database; after an interruption it begins again.

    Rules: everything happens in a folder beside the final one, which is renamed when complete. So
           a folder with the final name always has its roles and its database.
    """
    partial = cluster.folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    own_room(partial, cluster.account)
    _run_initdb(cluster, partial, passwords)
    _create_roles(cluster, partial, passwords)
    partial.rename(cluster.folder)


def start(cluster: Cluster, port: int) -> None:
    """Start the server and wait until it accepts connections.

    Raises: EmbeddedServersError with the end of the server's log.
    """
    settings = {**SETTINGS, "port": str(port)}
    options = shlex.join(part for item in settings.items() for part in ("-c", "=".join(item)))
    command = [cluster.programs.program("pg_ctl"), "start", "--silent", "--wait"]
    command += ["--timeout", str(START_TIMEOUT_S), "--pgdata", str(cluster.folder)]
    command += ["--log", str(cluster.log), "--options", options]
    # No pipes: the server would inherit them, and whoever reads our output would wait for it.
    started = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=_environment(),
        **cluster.account.process_options(),
    )
    if started.returncode != 0:
        raise EmbeddedServersError(
            f"PostgreSQL did not start. Its log ends with:\n{_tail(cluster)}"
        )


def repair(cluster: Cluster) -> bool:
    """Clear what a killed server left behind; tells whether there was anything.

    Rules: only for a server that does not run. Orphans keep the shared memory, so a new server
           would refuse to start; a pid file whose number was reused has the same effect.
    """
    pid_file = cluster.folder / "postmaster.pid"
    orphans = processes.processes_in(cluster.folder) if pid_file.exists() else []
    gone = processes.wait_until(
        lambda: not any(processes.is_alive(orphan) for orphan in orphans), ORPHAN_TIMEOUT_S
    )
    if not gone:
        processes.kill(orphans)
    was_stale = pid_file.exists()
    pid_file.unlink(missing_ok=True)
    return was_stale


def running(folder: Path) -> psutil.Process | None:
    """Give the postmaster of a data folder when it is alive."""
    return processes.server_process(folder / "postmaster.pid", folder)


def running_port(folder: Path) -> int | None:
    """Give the port of a running server; line 4 of its pid file by PostgreSQL's own definition."""
    try:
        return int((folder / "postmaster.pid").read_text("utf-8").splitlines()[3])
    except (OSError, ValueError, IndexError):
        return None


def stop(folder: Path) -> bool:
    """Shut down: sessions are cut, everything is written. Tells whether a server was running."""
    postmaster = running(folder)
    if postmaster is None:
        return False
    # SIGINT is PostgreSQL's "fast" shutdown, SIGQUIT its "immediate" one, which recovers later.
    postmaster.send_signal(signal.SIGINT)
    if not processes.wait_until(lambda: not processes.is_alive(postmaster), STOP_TIMEOUT_S):
        postmaster.send_signal(signal.SIGQUIT)
        if not processes.wait_until(lambda: not processes.is_alive(postmaster), STOP_TIMEOUT_S):
            processes.kill(processes.with_children(postmaster))
    return True


def _run_initdb(cluster: Cluster, folder: Path, passwords: Passwords) -> None:
    password_file = folder.with_suffix(".password")
    password_file.touch(mode=0o600)
    cluster.account.give(password_file)
    command = [cluster.programs.program("initdb"), "--pgdata", str(folder), "--data-checksums"]
    command += ["--username", SUPERUSER, "--auth", "scram-sha-256", "--pwfile", str(password_file)]
    command += ["--encoding", "UTF8", *_locale(cluster.programs.major), "--no-instructions"]
    try:
        password_file.write_text(passwords.superuser, "utf-8")
        _run(cluster, command, text="")
    finally:
        password_file.unlink()


def _locale(major: int) -> list[str]:
    # PostgreSQL's own ordering of text: an upgrade of the C library then breaks no index.
    if major >= BUILTIN_LOCALE_SINCE:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _create_roles(cluster: Cluster, folder: Path, passwords: Passwords) -> None:
    # Single-user mode: no port is open yet, and the passwords travel on a pipe, not in arguments.
    command = [cluster.programs.program("postgres"), "--single", "-D", str(folder)]
    command += ["-c", "exit_on_error=on", "-c", "log_min_error_statement=panic", SUPERUSER]
    statements = (
        f"CREATE ROLE {OWNER} {OWNER_RIGHTS} PASSWORD '{passwords.owner}'",
        f"CREATE ROLE {LOGIN} {LOGIN_RIGHTS} PASSWORD '{passwords.login}'",
        f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {DATABASE} TO {LOGIN}",
    )
    _run(cluster, command, text="".join(f"{statement}\n" for statement in statements))


def _run(cluster: Cluster, command: list[str], text: str) -> None:
    finished = subprocess.run(
        command,
        check=False,
        input=text,
        capture_output=True,
        text=True,
        cwd="/",
        env=_environment(),
        **cluster.account.process_options(),
    )
    if finished.returncode != 0:
        reason = finished.stderr.strip().splitlines()[-LOG_TAIL_LINES:]
        raise EmbeddedServersError(f"{command[0]} failed:\n" + "\n".join(reason))


def _environment() -> dict[str, str]:
    # PG* variables of the developer's own databases must not reach these servers.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _tail(cluster: Cluster) -> str:
    try:
        lines = cluster.log.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return "(no log was written)"
    return "\n".join(lines[-LOG_TAIL_LINES:])
