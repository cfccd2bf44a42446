"""`tillwire keys`: make, list and revoke API keys."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.owner import SCOPE, find_owner
from app.processes.floor import open_floor
from infra.clock import now
from infra.database.unit import begin
from infra.errors import NotFound
from infra.ids import parse_id
from tenants.keys import NewKey, create_key, list_keys, revoke_key
from tenants.roles import Role

STATEMENT_TIMEOUT_S = 30.0

Owner = Annotated[str, typer.Option(help="partner or partner/retailer; empty for the platform.")]
Days = Annotated[int | None, typer.Option(min=1, help="Days until the key ends; empty: no end.")]

commands = typer.Typer(help="API keys: make, list, revoke.", no_args_is_help=True)


@commands.command("create")
@plainly
def create(
    label: Annotated[str, typer.Option(help="What the key is for.")],
    role: Annotated[Role, typer.Option(help="What the key may do.")],
    *,
    owner: Owner = "",
    expires_in_days: Days = None,
    as_json: AsJson = False,
) -> None:
    """Make a key; its text is shown this once."""
    key = asyncio.run(_create(label, role, owner, expires_in_days))
    show_rows("New key, shown only now", [{"id": str(key.id), "key": key.text}], as_json=as_json)


@commands.command("list")
@plainly
def show(*, as_json: AsJson = False) -> None:
    """List all keys, newest first; their texts are not stored."""
    show_rows("Keys", asyncio.run(_list()), as_json=as_json)


@commands.command("revoke")
@plainly
def revoke(key_id: str, *, as_json: AsJson = False) -> None:
    """End a key for good."""
    is_new = asyncio.run(_revoke(key_id))
    state = "revoked" if is_new else "was revoked before"
    show_rows("Key", [{"id": key_id, "state": state}], as_json=as_json)


async def _create(label: str, role: Role, owner: str, days: int | None) -> NewKey:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        owned = await find_owner(owner, floor.database)
        expires_at = now() + timedelta(days=days) if days else None
        async with begin(SCOPE, floor.database) as session:
            return await create_key(
                session,
                given_by=Role.OPERATOR,
                label=label,
                role=role,
                expires_at=expires_at,
                partner_id=owned.partner_id,
                tenant_id=owned.tenant_id,
            )


async def _list() -> list[dict[str, Any]]:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        return [asdict(key) for key in await list_keys(SCOPE, floor.database)]


async def _revoke(key_id: str) -> bool:
    known = parse_id(key_id)
    if known is None:
        raise NotFound
    async with (
        open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor,
        begin(SCOPE, floor.database) as session,
    ):
        return await revoke_key(session, known)
