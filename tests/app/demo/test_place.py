"""Where the demo keeps things: refusals are plain sentences, secrets are closed, ports are kept."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.demo.place import (
    Options,
    choose_addresses,
    claimed,
    write_environment,
    write_private,
)
from infra.embedded.ports import free_port
from infra.errors import PlatformError


def test_second_demo_on_the_same_folder_is_refused_in_words(tmp_path: Path) -> None:
    with (
        claimed(tmp_path),
        pytest.raises(PlatformError, match="Another demo runs on"),
        claimed(tmp_path),
    ):
        pass

    with claimed(tmp_path):
        pass


def test_folder_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(PlatformError, match="Name another folder with --data"),
        claimed(tmp_path / "file" / "below"),
    ):
        pass


def test_taken_port_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PlatformError, match=f"Port {port} is used by another .*--port 8001"):
            choose_addresses(Options(tmp_path, port))


def test_addresses_of_shop_and_erp_stay_until_one_is_taken(tmp_path: Path) -> None:
    options = Options(tmp_path, free_port())
    first = choose_addresses(options)
    second = choose_addresses(options)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.erp))
        taken.listen()
        third = choose_addresses(options)

    assert second == first
    assert third.shop == first.shop
    assert third.erp != first.erp


def test_secrets_are_written_for_their_owner_only(tmp_path: Path) -> None:
    write_private(tmp_path / "key", "secret")
    write_environment(tmp_path / "env", {"DATABASE_URL": "postgresql://a:it's@host/x"})

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"key": 0o600, "env": 0o600}
    assert (tmp_path / "env").read_text() == (
        "export DATABASE_URL='postgresql://a:it'\"'\"'s@host/x'\n"
    )
