"""`tillwire migrate`: bring the database to the newest schema."""

from __future__ import annotations

import asyncio

from app.cli.answer import AsJson, plainly, show_rows
from infra.database.migrate import migrate
from infra.errors import PlatformError
from infra.settings import DatabaseSettings, load


@plainly
def run_migrate(*, as_json: AsJson = False) -> None:
    """Bring the database to the newest schema, as its owner; safe to repeat."""
    settings = load(DatabaseSettings)
    if settings.database_owner_url is None:
        raise PlatformError(
            "DATABASE_OWNER_URL is not set; migrations need the owner of the schema."
        )
    owner_url = settings.database_owner_url.get_secret_value()
    asyncio.run(migrate(owner_url, settings.database_url.get_secret_value()))
    show_rows("Schema", [{"schema": "newest"}], as_json=as_json)
