"""`tillwire duties`: what the schedulers do, who is at it, and how the last time went."""

from __future__ import annotations

import asyncio
from typing import Any

from app.cli.answer import AsJson, plainly, show_rows
from app.processes.duties import list_duties
from app.processes.floor import open_floor

STATEMENT_TIMEOUT_S = 10.0


@plainly
def run_duties(*, as_json: AsJson = False) -> None:
    """List the duties of the schedulers: last done (UTC), time taken, who is at it, last problem."""
    show_rows("Duties", asyncio.run(_read()), as_json=as_json)


async def _read() -> list[dict[str, Any]]:
    async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
        rows = await list_duties(floor.database)
    return [dict(row) for row in rows]
