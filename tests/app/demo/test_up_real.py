"""`tillwire up` from nothing to a web order in a real ERP, and again after kill -9."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.demo.left_overs import MARK, end_left_overs
from infra.embedded import servers
from infra.embedded.ports import free_port

ROOT = Path(__file__).parents[3]
DELIVERED = "first web order delivered"
SERVERS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of a demo, without anything running on it afterwards."""
    yield tmp_path
    end_left_overs(tmp_path)
    servers.stop(tmp_path / "servers")


def up(folder: Path, *options: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in SERVERS}
    command = [sys.executable, "-m", "main", "up", "--data", str(folder), *options]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def marked(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(folder):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_web_order_reaches_the_erp_and_again_after_everything_was_killed(folder: Path) -> None:
    port = str(free_port())
    first = up(folder, "--port", port)
    assert first.stdout is not None
    said = next(line for line in first.stdout if DELIVERED in line)
    first.kill()
    for process in marked(folder):
        process.kill()
    servers.kill(folder / "servers", "postgres")
    servers.kill(folder / "servers", "redis")
    first.communicate()

    second = up(folder, "--port", port, "--until-delivered")
    told, _ = second.communicate()

    assert "in the ERP" in said
    assert second.returncode == 0, told
    assert DELIVERED in told
    assert "0 changes applied" in told
    assert "the data stays for the next start" in told
    assert marked(folder) == []
    assert not servers.status(folder / "servers").is_postgres_running


@pytest.mark.real
@pytest.mark.timeout(60)
def test_interrupted_first_start_ends_everything_that_it_began(folder: Path) -> None:
    begun = up(folder, "--port", str(free_port()))
    assert begun.stdout is not None
    said = next(line for line in begun.stdout if "initialising Tryton" in line)
    begun.send_signal(signal.SIGINT)
    told, _ = begun.communicate()

    assert begun.returncode == 0, said + told
    assert "Traceback" not in told
    assert marked(folder) == []
    assert not servers.status(folder / "servers").is_postgres_running


def test_taken_port_ends_with_one_sentence_and_code_2(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = up(folder, "--port", str(taken.getsockname()[1]))
        told, _ = refused.communicate()

    assert refused.returncode == 2
    assert len(told.splitlines()) == 1
    assert "is used by another program" in told
