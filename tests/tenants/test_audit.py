"""The audit log cannot be rewritten: refused for the application, found when the owner does it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from infra.database.pool import Database
from infra.database.scope import (
    EngineScope,
    GateScope,
    IntakeScope,
    OperatorScope,
    PartnerScope,
    TenantScope,
)
from infra.database.unit import begin
from infra.ids import new_id
from tenants.audit import (
    PAGE_ROWS,
    AuditWithoutActor,
    ChainHead,
    Detail,
    Line,
    platform,
    record,
    record_many,
    verify_chain,
)


async def a_chain(database: Database, lines: int) -> TenantScope:
    scope = TenantScope(new_id(), "person:ada")
    async with begin(scope, database) as session:
        for number in range(1, lines + 1):
            detail: Detail = {"number": number, "ünï": ["ß", None], "in": {"b": 1, "a": "x"}}
            assert await record(session, "test.write_line", f"line:{number}", detail) == number
    return scope


@asynccontextmanager
async def as_owner(url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Someone with the owner's password, who lifts every guard of the audit table first."""
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(
            "alter table audit no force row level security; alter table audit disable trigger user"
        )
        yield owner
    finally:
        await owner.execute(
            "alter table audit enable trigger user; alter table audit force row level security"
        )
        await owner.close()


async def test_an_untouched_chain_is_whole(database: Database) -> None:
    scope = await a_chain(database, 5)

    report = await verify_chain(scope, database)

    assert (report.ok, report.broken_at, report.head.seq) == (True, None, 5)


async def test_an_empty_chain_is_whole(database: Database) -> None:
    report = await verify_chain(TenantScope(new_id()), database)

    assert (report.ok, report.broken_at, report.head.seq) == (True, None, 0)


async def test_a_chain_longer_than_a_page_is_checked_to_its_end(
    database: Database, database_urls: tuple[str, str]
) -> None:
    scope = await a_chain(database, PAGE_ROWS + 5)
    assert (await verify_chain(scope, database)).head.seq == PAGE_ROWS + 5

    async with as_owner(database_urls[0]) as owner:
        await owner.execute(
            "update audit set actor = 'x' where tenant_id = $1 and seq = $2",
            scope.tenant_id,
            PAGE_ROWS + 3,
        )

    assert (await verify_chain(scope, database)).broken_at == PAGE_ROWS + 3


@pytest.mark.parametrize(
    "statement",
    ["update audit set action = 'x'", "delete from audit", "truncate audit"],
)
async def test_the_application_can_neither_change_nor_remove_a_line(
    database: Database, statement: str
) -> None:
    scope = await a_chain(database, 3)
    scopes = (
        scope,
        PartnerScope(new_id()),
        OperatorScope(),
        EngineScope(),
        GateScope(),
        IntakeScope((scope.tenant_id,)),
        platform("x"),
    )

    for each in scopes:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with begin(each, database) as session:
                await session.execute(statement)

    assert (await verify_chain(scope, database)).head.seq == 3


async def test_even_the_owner_is_stopped_until_the_guards_are_lifted(
    database: Database, database_urls: tuple[str, str]
) -> None:
    scope = await a_chain(database, 3)
    owner = await asyncpg.connect(database_urls[0])

    # Row-level security hides the lines from the owner; without it the trigger refuses.
    hidden = await owner.execute("delete from audit where tenant_id = $1", scope.tenant_id)
    await owner.execute("alter table audit no force row level security")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute("delete from audit where tenant_id = $1", scope.tenant_id)
    await owner.execute("alter table audit force row level security")
    await owner.close()

    assert hidden == "DELETE 0"
    assert (await verify_chain(scope, database)).head.seq == 3


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("delete from audit where tenant_id = $1 and seq = 1", 1),
        ("delete from audit where tenant_id = $1 and seq = 3", 3),
        ("update audit set actor = 'person:eve' where tenant_id = $1 and seq = 2", 2),
        ("update audit set action = 'test.other' where tenant_id = $1 and seq = 2", 2),
        ("update audit set subject = 'line:9' where tenant_id = $1 and seq = 5", 5),
        ("update audit set at = at + interval '1 us' where tenant_id = $1 and seq = 2", 2),
        ("update audit set detail = '{}' where tenant_id = $1 and seq = 4", 4),
        ("update audit set hash = sha256('x') where tenant_id = $1 and seq = 4", 4),
        ("update audit set previous_hash = sha256('x') where tenant_id = $1 and seq = 4", 4),
        ("update audit set seq = seq + 1 where tenant_id = $1 and seq = 5", 5),
    ],
)
async def test_what_the_owner_removes_or_changes_is_found(
    database: Database, database_urls: tuple[str, str], change: str, broken_at: int
) -> None:
    scope = await a_chain(database, 5)

    async with as_owner(database_urls[0]) as owner:
        status = await owner.execute(change, scope.tenant_id)

    report = await verify_chain(scope, database)
    assert status.endswith(" 1")
    assert (report.ok, report.broken_at) == (False, broken_at)


async def test_a_line_cut_from_the_end_is_found_by_a_head_known_before(
    database: Database, database_urls: tuple[str, str]
) -> None:
    scope = await a_chain(database, 5)
    known = (await verify_chain(scope, database)).head

    async with as_owner(database_urls[0]) as owner:
        await owner.execute("delete from audit where tenant_id = $1 and seq = 5", scope.tenant_id)

    report = await verify_chain(scope, database, known)
    assert (report.ok, report.broken_at) == (False, 5)


async def test_a_chain_written_anew_from_the_start_is_found_by_a_head_known_before(
    database: Database, database_urls: tuple[str, str]
) -> None:
    scope = await a_chain(database, 2)
    known = (await verify_chain(scope, database)).head
    async with as_owner(database_urls[0]) as owner:
        await owner.execute("delete from audit where tenant_id = $1", scope.tenant_id)
    async with begin(scope, database) as session:
        for number in range(3):
            await record(session, "test.forged", f"line:{number}", {})

    assert (await verify_chain(scope, database)).ok is True
    report = await verify_chain(scope, database, known)
    assert (report.ok, report.broken_at) == (False, 2)


async def test_a_chain_that_grew_still_meets_the_head_known_before(database: Database) -> None:
    scope = await a_chain(database, 2)
    known = (await verify_chain(scope, database, ChainHead(0, bytes(32)))).head
    async with begin(scope, database) as session:
        await record(session, "test.write_line", "line:3", {})

    report = await verify_chain(scope, database, known)

    assert (report.ok, report.head.seq) == (True, 3)


async def test_writers_at_once_keep_one_chain(database: Database) -> None:
    scope = TenantScope(new_id(), "person:ada")

    async def write(number: int) -> int:
        async with begin(scope, database) as session:
            return await record(session, "test.write_line", f"line:{number}", {})

    numbers = await asyncio.gather(*(write(number) for number in range(40)))

    assert sorted(numbers) == list(range(1, 41))
    report = await verify_chain(scope, database)
    assert (report.ok, report.head.seq) == (True, 40)


async def test_an_act_that_fails_leaves_no_line(database: Database) -> None:
    scope = await a_chain(database, 1)

    with pytest.raises(ZeroDivisionError):
        async with begin(scope, database) as session:
            await record(session, "test.write_line", "line:2", {})
            _ = 1 / 0

    assert (await verify_chain(scope, database)).head.seq == 1


@pytest.mark.parametrize(
    "scope", [OperatorScope("person:op"), PartnerScope(UUID(int=5), "person:op")]
)
async def test_acts_on_the_directory_stand_in_the_platforms_chain(
    database: Database, scope: OperatorScope | PartnerScope
) -> None:
    async with begin(scope, database) as session:
        await record(session, "directory.act", "partner:1", {})
        # The platform's chain is open for the line only.
        assert await session.fetch("select 1 from audit") == []

    async with begin(platform("test"), database) as session:
        last = await session.fetch_one("select actor, action from audit order by seq desc limit 1")
    assert last is not None
    assert (last["actor"], last["action"]) == ("person:op", "directory.act")
    assert (await verify_chain(platform("test"), database)).ok is True


@pytest.mark.parametrize("scope", [EngineScope(), GateScope(), IntakeScope(())])
async def test_a_scope_that_names_nobody_cannot_write_a_line(
    database: Database, scope: EngineScope | GateScope | IntakeScope
) -> None:
    with pytest.raises(AuditWithoutActor):
        async with begin(scope, database) as session:
            await record(session, "test.write_line", "line:1", {})


async def test_many_lines_at_once_are_the_same_chain_as_one_by_one(database: Database) -> None:
    scope = await a_chain(database, 2)
    lines = [Line("test.write_line", f"line:{n}", {"number": n, "ünï": None}) for n in range(3, 9)]

    async with begin(scope, database) as session:
        assert await record_many(session, lines) == 8
        assert await record(session, "test.write_line", "line:9", {"number": 9}) == 9
        assert await record_many(session, []) == 0

    report = await verify_chain(scope, database)
    assert (report.ok, report.head.seq) == (True, 9)
    async with begin(scope, database) as session:
        rows = await session.fetch("select seq, subject, actor from audit order by seq")
    assert [row["subject"] for row in rows] == [f"line:{n}" for n in range(1, 10)]
    assert {row["actor"] for row in rows} == {"person:ada"}


async def test_two_who_write_many_lines_at_once_do_not_break_the_chain(database: Database) -> None:
    scope = TenantScope(new_id(), "person:ada")

    async def write(name: str) -> None:
        for begun in range(5):
            lines = [Line("test.write_line", f"{name}:{begun}:{n}", {}) for n in range(50)]
            async with begin(scope, database) as session:
                await record_many(session, lines)

    await asyncio.gather(write("a"), write("b"))

    report = await verify_chain(scope, database)
    assert (report.ok, report.head.seq) == (True, 500)
