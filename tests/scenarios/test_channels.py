"""The channels as people see them: exposure in units and money, and the release of what was refused."""

from __future__ import annotations

from datetime import timedelta

from app.connections.credential import budget_key
from app.retail.publishing.exposure import read_channels, with_quota
from infra import clock
from infra.database.unit import begin
from tenants.roles import Role
from tests.app.api.served import Served, key_of
from tests.scenarios.channels import open_shelf, publishing
from tests.stage import Stage


async def test_exposure_is_told_in_units_and_money_with_the_oldest_and_the_quota(
    stage: Stage, served: Served
) -> None:
    amazon = {"budget": {"rate_per_s": 5, "burst": 10}}
    async with open_shelf(stage, amazon=amazon, quiet={}) as shelf:
        begun = clock.now()
        await shelf.told("amazon", "A", 2, 8)
        await shelf.told("amazon", "B", 0, 5)
        await shelf.told("amazon", "C", 9, 3)
        await shelf.told("quiet", "A", 2)
        await stage.write(
            shelf.retailer,
            "update channel_position set sent = 4, sent_at = now() where sku = 'A' and shown is null",
        )
        key = await key_of(stage, Role.RETAILER_STAFF, tenant_id=shelf.retailer.tenant_id)
        answer = await served.call("GET", "/v1/channels", key)

    first, second = answer.json()
    assert (first["due"], first["exposed_articles"], first["exposed_units"]) == (3, 2, 11)
    assert first["exposed"] == [{"amount": "110.00", "currency": "USD"}]
    assert first["oldest_at"] >= begun.isoformat()[:19]
    assert first["words"] == "Exposure: 11 units / 110.00 USD on amazon."
    # What may have been told counts as if it had been.
    assert (second["exposed_units"], second["articles"]) == (2, 1)


async def test_what_a_channel_refused_is_told_again_when_a_person_says_so(
    stage: Stage, served: Served
) -> None:
    async with open_shelf(stage, market={}) as shelf:
        channel = shelf.channels["market"]
        channel.unlisted = {"A", "B"}
        await shelf.told("market", "A", 2, 8)
        await shelf.told("market", "B", 2, 8)
        key = await key_of(stage, Role.RETAILER_ADMIN, tenant_id=shelf.retailer.tenant_id)
        path = f"/v1/channels/{shelf.id_of('market')}/release"
        async with publishing(stage):
            await shelf.converged()
            channel.unlisted = set()
            asked = {"reason": "Listed again.", "sku": "A"}
            first = await served.call("POST", path, key, json=asked)
            await shelf.converged()
            second = await served.call("POST", path, key, json=asked)
        shown = dict(channel.shown)
        other = await stage.retailer()
        foreign = await key_of(stage, Role.RETAILER_ADMIN, tenant_id=other.tenant_id)
        refused = await served.call("POST", path, foreign, json=asked)
        audit = await stage.rows(
            shelf.retailer, "select action, subject from audit where action like 'channels.%'"
        )

    assert (first.json(), second.json()) == ({"released": 1}, {"released": 0})
    assert shown == {"A": 2}
    assert (refused.status_code, refused.json()["code"]) == (404, "resource.not_found")
    assert [dict(row) for row in audit] == [
        {"action": "channels.release_listing", "subject": f"connection:{shelf.id_of('market')}"}
    ]


async def test_a_quota_that_holds_exposure_back_says_until_when(stage: Stage) -> None:
    async with open_shelf(stage, amazon={"budget": {"rate_per_s": 5, "burst": 10}}) as shelf:
        for number in range(60):
            await shelf.told("amazon", f"SKU-{number}", 1, 2)
        booked = await stage.connections.find(shelf.retailer.tenant_id, shelf.id_of("amazon"))
        assert booked is not None
        credential = budget_key(booked, "").credential
        await stage.write(
            shelf.retailer,
            "insert into budget (tenant_id, credential, bucket, connection_id, rate_per_s, burst,"
            " declared_per_s, declared_burst, tokens, filled_at, paused_until) values ($1, $2, '', $3,"
            " 5, 10, 5, 10, 0, now() + interval '1 day', now() + interval '100 seconds')",
            shelf.retailer.tenant_id,
            credential,
            shelf.id_of("amazon"),
        )
        async with begin(shelf.retailer.scope, stage.database) as session:
            (bare,) = await read_channels(session)
            state = await with_quota(session, bare, booked)

    (paused,) = await stage.rows(shelf.retailer, "select paused_until from budget")
    # After the pause sixty articles go, five a second.
    assert state.limited_until == paused["paused_until"] + timedelta(seconds=12)
    assert state.words.startswith(
        "Exposure: 60 units / 600.00 USD on amazon, limited by its quota, clears in 1"
    )
