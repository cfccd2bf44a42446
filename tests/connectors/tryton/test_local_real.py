"""The local Tryton: secrets closed, nothing done twice, nobody's database touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.catalog.tryton.local.catalogue import SAMPLE, as_json, read_catalogue
from connectors.catalog.tryton.local.database import Place
from connectors.catalog.tryton.local.failure import LocalTrytonError
from connectors.catalog.tryton.local.launch import Plan, Running, launch
from infra import clock


@pytest.mark.real
def test_secrets_are_readable_by_their_owner_only_and_not_in_the_settings(tryton: Running) -> None:
    folder = tryton.key_file.parent

    modes = {name: (folder / name).stat().st_mode & 0o777 for name in ("rest-key", "trytond.conf")}

    assert modes == {"rest-key": 0o600, "trytond.conf": 0o600}
    assert tryton.key_file.read_text().strip() not in json.dumps(tryton.settings)


@pytest.mark.real
def test_second_start_on_the_same_port_is_refused_in_words(tryton: Running) -> None:
    port = int(tryton.base_url.rpartition(":")[2])
    venv = Path(str(tryton.process.args[0])).parents[1]  # type: ignore[index]
    plan = Plan(tryton.key_file.parent, port, clock.now().date(), venv=venv)

    with pytest.raises(LocalTrytonError, match=f"already serves on port {port}"):
        launch(plan, lambda line: None)


def test_database_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    foreign = Place(tmp_path)
    foreign.sqlite_file.write_bytes(b"theirs")

    with pytest.raises(LocalTrytonError, match="knows nothing of"):
        foreign.create_empty()

    assert foreign.sqlite_file.read_bytes() == b"theirs"


def test_note_of_one_server_says_nothing_about_another(tmp_path: Path) -> None:
    here = Place(tmp_path)
    here.create_empty()
    here.finish()
    (tmp_path / "finished").write_text("db.example.org:5432")

    with pytest.raises(LocalTrytonError, match="knows nothing of"):
        here.create_empty()


def test_half_made_database_is_made_anew(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.create_empty()
    place.sqlite_file.write_bytes(b"half made")
    was_finished = place.is_finished()

    place.create_empty()
    place.finish()

    assert not was_finished
    assert place.is_finished()
    assert place.sqlite_file.read_bytes() == b""


def test_catalogue_file_gives_the_articles_that_were_written(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text(as_json(SAMPLE))

    assert read_catalogue(path) == SAMPLE
