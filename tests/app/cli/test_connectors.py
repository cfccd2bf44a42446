"""`tillwire connectors check`: the lab's verdict in a terminal, as JSON, and on cards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.program import program
from connectors import registry
from connectors.catalog.http.connector import HttpConnector
from connectors.sdk.message import RawMessage, Reading


def check(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["connectors", "check", *arguments])


def test_one_connector_is_checked_by_name() -> None:
    told = check("http")

    assert told.exit_code == 0
    assert told.stdout.splitlines()[0] == "http 1.0.0"
    assert told.stdout.splitlines()[-1] == "100%: 32 hold, 0 fail, 0 do not apply"


def test_all_connectors_are_checked_and_their_cards_written(tmp_path: Path) -> None:
    told = check("--json", "--card", str(tmp_path / "cards"))

    cards: list[dict[str, Any]] = json.loads(told.stdout)
    assert told.exit_code == 0
    assert [card["connector"] for card in cards] == list(registry.names())
    assert [(card["failed"], card["score_0_1"]) for card in cards] == [(0, 1.0)] * len(cards)
    written = [
        json.loads((tmp_path / "cards" / f"{name}.json").read_bytes()) for name in registry.names()
    ]
    assert written == cards


def test_a_fault_is_named_and_makes_the_command_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    class Swallows(HttpConnector):
        def read(self, message: RawMessage) -> Reading:
            super().read(message)
            return Reading(skipped="skipped.no_reason")

    bent = Swallows(registry.manifest("http"))
    monkeypatch.setattr(registry, "load", lambda _: bent)

    told = check("http", "--json")

    (card,) = json.loads(told.stdout)
    assert told.exit_code == 1
    assert [each["check"] for each in card["results"] if each["verdict"] == "fail"] == ["reads"]


def test_an_unknown_connector_and_an_unwritable_folder_are_refused_in_words(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")

    unknown = check("carrier_pigeon")
    unwritable = check("http", "--card", str(tmp_path / "file"))

    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert unknown.stderr == "There is no connector called 'carrier_pigeon'.\n"
    assert unwritable.exit_code == 2
    assert "The cards cannot be written to" in unwritable.stderr
