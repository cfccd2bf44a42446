"""`tillwire people`: who is let in, and how."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable

import pytest
from typer.testing import CliRunner, Result

from app.cli.program import program
from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from tenants.partners import ensure_partner
from tenants.sign_in.hosts import front_of_host
from tenants.sign_in.links import read_link

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command as a terminal would; in a thread, because commands own their event loop."""
    monkeypatch.setenv("DATABASE_URL", database_urls[1])
    monkeypatch.setenv("TILLWIRE_MASTER_KEY", base64.b64encode(b"k" * 32).decode())

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, program, list(arguments))

    return invoke


async def test_a_person_is_invited_listed_and_given_a_link(database: Database, run: Run) -> None:
    async with begin(OperatorScope("test"), database) as session:
        await ensure_partner(session, "harborline", "Harborline", {})
    who = ("people", "invite", "Ada@Harborline.example", "--name", "Ada Marsh")

    invited = await run(*who, "--role", "partner_admin", "--owner", "harborline", "--json")
    listed = await run("people", "list", "--json")
    link = await run("people", "link", "ada@harborline.example", "--json")

    (row,) = json.loads(invited.stdout)
    assert row["path"].startswith("/invitation/")
    assert [(each["email"], each["role"]) for each in json.loads(listed.stdout)] == [
        ("ada@harborline.example", "partner_admin")
    ]
    (entry,) = json.loads(link.stdout)
    found = await read_link(entry["path"].removeprefix("/enter/"), "sign_in", database)
    assert found.name == "Ada Marsh"


async def test_a_stranger_gets_no_link(database: Database, run: Run) -> None:
    told = await run("people", "link", "nobody@harborline.example")

    assert told.exit_code == 2
    assert "Nobody has the address" in told.stderr


async def test_a_role_that_does_not_fit_the_place_is_refused(database: Database, run: Run) -> None:
    told = await run("people", "invite", "a@b.example", "--name", "A", "--role", "retailer_staff")

    assert told.exit_code == 2
    async with begin(OperatorScope("test"), database) as session:
        assert await session.fetch_value("select 1 from person where email = 'a@b.example'") is None


async def test_a_host_opens_one_partners_portal(database: Database, run: Run) -> None:
    async with begin(OperatorScope("test"), database) as session:
        await ensure_partner(session, "harborline", "Harborline", {})

    told = [await run("people", "host", "Portal.Example", "harborline", "--json") for _ in range(2)]

    assert [json.loads(each.stdout)[0]["state"] for each in told] == ["added", "was there before"]
    front = await front_of_host("portal.example", database)
    assert front is not None
    assert front.name == "Harborline"
