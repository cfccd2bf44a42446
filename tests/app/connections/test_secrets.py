"""Credentials: sealed to their place and host, kept a day beside their successor."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from pydantic import SecretStr

from app.connections.configure import WantedConnection, ensure_connection
from app.connections.directory import BookedConnection, ConnectionBook
from app.connections.health import lose_authorization, read_health
from app.connections.reseal import reseal_secrets
from infra.clock import now
from infra.database.pool import Database
from infra.database.unit import begin
from infra.errors import Conflict, Unprocessable
from infra.ids import Id
from infra.keys.vault import SealBroken
from tests.app.retailer import Retailer, make_retailer


async def booked(retailer: Retailer, connection_id: Id) -> BookedConnection:
    found = await ConnectionBook(retailer.database, retailer.vault).find(retailer.id, connection_id)
    assert found is not None
    return found


async def test_a_replaced_credential_stays_valid_for_a_day_after_its_successor(
    database: Database,
) -> None:
    retailer = await make_retailer(database)
    erp = await retailer.connect("erp")
    await retailer.store(erp, "key", "first-credential")
    await retailer.store(erp, "key", "second-credential")
    secrets = (await booked(retailer, erp)).secrets

    within = secrets.reveal("key")
    with time_machine.travel(now() + timedelta(hours=24, seconds=1), tick=False):
        after = secrets.reveal("key")

    assert within == ["second-credential", "first-credential"]
    assert after == ["second-credential"]


async def test_a_third_credential_ends_the_first_at_once(database: Database) -> None:
    retailer = await make_retailer(database)
    erp = await retailer.connect("erp")
    for value in ("first-credential", "second-credential", "third-credential"):
        await retailer.store(erp, "key", value)

    revealed = (await booked(retailer, erp)).secrets.reveal("key")

    assert revealed == ["third-credential", "second-credential"]


async def test_two_credentials_swapped_in_the_database_do_not_open(database: Database) -> None:
    retailer = await make_retailer(database)
    erp, other = await retailer.connect("erp"), await retailer.connect("other")
    await retailer.store(erp, "key", "credential-of-erp")
    await retailer.store(other, "key", "credential-of-other")
    async with begin(retailer.scope, database) as session:
        await session.execute(
            "update connection_secret s set sealed = o.sealed from connection_secret o"
            " where s.tenant_id = o.tenant_id and s.connection_id <> o.connection_id"
        )

    for connection_id in (erp, other):
        secrets = (await booked(retailer, connection_id)).secrets
        with pytest.raises(SealBroken):
            secrets.reveal("key")


async def test_a_host_changed_behind_our_back_leaves_the_credential_closed(
    database: Database,
) -> None:
    retailer = await make_retailer(database)
    erp = await retailer.connect("erp")
    await retailer.store(erp, "key", "credential-of-erp")
    async with begin(retailer.scope, database) as session:
        await session.execute(
            'update connection set settings = \'{"base_url": "https://evil.example"}\''
        )

    secrets = (await booked(retailer, erp)).secrets

    with pytest.raises(SealBroken):
        secrets.reveal("key")


@pytest.mark.parametrize(
    "base_url",
    ["https://other.example", "http://erp.example", "https://erp.example:8443"],
)
async def test_a_connection_with_credentials_does_not_move_to_another_host(
    database: Database, base_url: str
) -> None:
    retailer = await make_retailer(database)
    erp = await retailer.connect("erp")
    await retailer.store(erp, "key", "credential-of-erp")

    with pytest.raises(Conflict) as refusal:
        await retailer.connect("erp", base_url=base_url)

    assert refusal.value.code == "connection.credentials_bound"
    assert "give key anew" in refusal.value.detail
    unmoved = await booked(retailer, erp)
    assert unmoved.config.settings == {"base_url": "https://erp.example"}
    assert unmoved.secrets.reveal("key") == ["credential-of-erp"]


async def test_a_connection_moves_with_new_credentials_and_forgets_the_old_ones(
    database: Database,
) -> None:
    retailer = await make_retailer(database)
    erp = await retailer.connect("erp")
    await retailer.store(erp, "key", "credential-of-erp")
    wanted = WantedConnection(
        "erp",
        "tryton",
        settings={"base_url": "https://other.example"},
        new_credentials=frozenset({"key"}),
    )

    async with begin(retailer.scope, database) as session:
        await ensure_connection(session, wanted)
    await retailer.store(erp, "key", "credential-of-other")

    assert (await booked(retailer, erp)).secrets.reveal("key") == ["credential-of-other"]


async def test_a_path_may_change_without_new_credentials(database: Database) -> None:
    retailer = await make_retailer(database)
    erp = await retailer.connect("erp")
    await retailer.store(erp, "key", "credential-of-erp")

    await retailer.connect("erp", base_url="https://ERP.example:443/api")

    assert (await booked(retailer, erp)).secrets.reveal("key") == ["credential-of-erp"]


async def test_a_credential_that_the_manifest_does_not_declare_is_refused(
    database: Database,
) -> None:
    retailer = await make_retailer(database)
    erp = await retailer.connect("erp")

    with pytest.raises(Unprocessable) as refusal:
        await retailer.store(erp, "password", "credential-of-erp")

    assert refusal.value.code == "connection.secret_unknown"
    assert (await booked(retailer, erp)).secrets.fields() == ()


async def test_a_new_credential_ends_the_wait_for_authorization(database: Database) -> None:
    retailer = await make_retailer(database)
    erp = await retailer.connect("erp")
    async with begin(retailer.scope, database) as session:
        await lose_authorization(session, retailer.id, erp, "The key was revoked.")

    await retailer.store(erp, "key", "credential-of-erp")

    async with begin(retailer.scope, database) as session:
        assert (await read_health(session, retailer.id, erp)).state == "closed"


async def test_credentials_stay_readable_after_the_key_of_their_month_is_erased(
    database: Database,
) -> None:
    with time_machine.travel("2026-10-15T12:00:00Z", tick=False):
        retailer = await make_retailer(database)
        erp = await retailer.connect("erp")
        await retailer.store(erp, "key", "first-credential")
        await retailer.store(erp, "key", "second-credential")
    with time_machine.travel("2026-11-01T00:00:00Z", tick=False):
        resealed = await reseal_secrets(retailer.scope, database, retailer.vault)
        again = await reseal_secrets(retailer.scope, database, retailer.vault)
        await retailer.vault.erase(retailer.id, 202610)
        secrets = (await booked(retailer, erp)).secrets

        assert (resealed, again) == (2, 0)
        assert secrets.is_current("key", SecretStr("second-credential"))


async def test_a_handle_does_not_show_what_it_holds(database: Database) -> None:
    retailer = await make_retailer(database)
    erp = await retailer.connect("erp")
    await retailer.store(erp, "key", "credential-of-erp")

    assert "credential-of-erp" not in repr(await booked(retailer, erp))
    assert not (await booked(retailer, erp)).secrets.is_current("key", SecretStr("another"))


async def test_another_retailer_does_not_find_the_connection(database: Database) -> None:
    mine, foreign = await make_retailer(database), await make_retailer(database)
    erp = await mine.connect("erp")

    found = await ConnectionBook(database, mine.vault).find(foreign.id, erp)

    assert found is None
