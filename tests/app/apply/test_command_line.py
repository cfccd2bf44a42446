"""The command line against a real database: tables or JSON out, plain refusals, exit codes."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.program import program
from infra.ids import new_id

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command as a terminal would; in a thread, because commands own their event loop."""
    monkeypatch.setenv("DATABASE_OWNER_URL", database_urls[0])
    monkeypatch.setenv("DATABASE_URL", database_urls[1])
    monkeypatch.setenv("TILLWIRE_MASTER_KEY", base64.b64encode(secrets.token_bytes(32)).decode())
    monkeypatch.setenv("COLUMNS", "200")

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, program, list(arguments))

    return invoke


@pytest.fixture
def partner() -> str:
    return f"p-{new_id().hex}"


def a_file(folder: Path, partner: str) -> str:
    path = folder / "retailers.yaml"
    path.write_text(
        f"partners: [{{slug: {partner}, name: Harborline, retailers: [{{slug: maple, name: Maple,"
        " connections: [{name: shop, connector: shopify, hook: true}]}]}]"
    )
    return str(path)


async def test_apply_plans_makes_and_then_finds_nothing_to_do(
    run: Run, tmp_path: Path, partner: str
) -> None:
    file, hooks = a_file(tmp_path, partner), tmp_path / "hooks.json"

    planned = await run("apply", file, "--plan", "--json")
    made = await run("apply", file, "--json", "--hooks-file", str(hooks))
    again = await run("apply", file)

    acts = [(each["act"], each["kind"]) for each in json.loads(planned.stdout)["changes"]]
    assert acts == [
        ("create", "partner"),
        ("create", "retailer"),
        ("create", "connection"),
        ("issue", "hook"),
    ]
    assert json.loads(made.stdout) == {
        "changes": json.loads(planned.stdout)["changes"],
        "hooks": {},
    }
    (path,) = json.loads(hooks.read_text()).values()
    assert path.startswith("/hooks/")
    assert path not in made.stdout
    assert (again.exit_code, again.stdout) == (0, "Changes: none\n")


async def test_without_a_hooks_file_new_hook_addresses_are_shown_once(
    run: Run, tmp_path: Path, partner: str
) -> None:
    made = await run("apply", a_file(tmp_path, partner), "--json")

    assert list(json.loads(made.stdout)["hooks"]) == [f"{partner}/maple/shop"]


async def test_a_key_is_made_listed_and_revoked(run: Run, tmp_path: Path, partner: str) -> None:
    await run("apply", a_file(tmp_path, partner))

    made = await run(
        *("keys", "create", "--label", "shop", "--role", "retailer_admin"),
        *("--owner", f"{partner}/maple", "--json"),
    )
    key = json.loads(made.stdout)[0]
    revoked = await run("keys", "revoke", key["id"], "--json")
    again = await run("keys", "revoke", key["id"], "--json")
    listed = await run("keys", "list", "--json")

    assert json.loads(revoked.stdout) == [{"id": key["id"], "state": "revoked"}]
    assert json.loads(again.stdout) == [{"id": key["id"], "state": "was revoked before"}]
    entry = next(each for each in json.loads(listed.stdout) if each["id"] == key["id"])
    assert entry["role"] == "retailer_admin"
    assert key["key"] not in listed.stdout


async def test_the_books_of_a_new_retailer_balance(run: Run, tmp_path: Path, partner: str) -> None:
    await run("apply", a_file(tmp_path, partner))

    told = await run("ledger", f"{partner}/maple", "--json")

    books: dict[str, Any] = json.loads(told.stdout)
    assert told.exit_code == 0
    assert (books["unaccounted"], books["total"]["accepted"], books["lines"]) == (0, 0, [])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ledger", "nobody/nothing"), "There is no 'nobody/nothing'. Write a partner, or"),
        (("apply", "missing.yaml"), "missing.yaml cannot be read: No such file or directory."),
        (("keys", "revoke", "garbage"), "There is nothing here, or you may not see it."),
        (("connectors", "emulate", "magic"), "There is no connector called 'magic'."),
    ],
)
async def test_a_refusal_is_one_plain_sentence_and_exit_code_two(
    run: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    refused = await run(*arguments)

    assert refused.exit_code == 2
    assert refused.stderr.startswith(sentence)
    assert refused.stdout == ""


async def test_migrating_twice_is_harmless(run: Run) -> None:
    assert (await run("migrate", "--json")).exit_code == 0
    assert json.loads((await run("migrate", "--json")).stdout) == [{"schema": "newest"}]


async def test_the_catalogue_lists_every_system_with_its_actions(run: Run) -> None:
    listed = json.loads((await run("connectors", "list", "--json")).stdout)

    shopify = next(each for each in listed if each["name"] == "shopify")
    assert shopify["actions"] == ["set_stock"]
