"""The streams of a connection that are asked again and again, as its manifest declares them."""

from __future__ import annotations

from app.connections.tenant import acting_tenant
from connectors.registry import manifest
from infra.database.unit import Session
from infra.ids import Id


async def ensure_streams(session: Session, connection_id: Id, connector: str) -> None:
    """Have every declared stream polled at its declared pace; cursors that exist stay as they are."""
    for stream in manifest(connector).streams:
        await session.execute(
            "insert into poll_cursor (tenant_id, connection_id, stream, every_s)"
            " values ($1, $2, $3, $4) on conflict (tenant_id, connection_id, stream)"
            " do update set every_s = excluded.every_s",
            acting_tenant(session),
            connection_id,
            stream.name,
            stream.every_s,
        )
