"""Webhooks verify with the library of the standard, repeat under one id, and call nobody inside."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.health.alerts import claim
from app.health.alerts.channels import Changes, change_channel, read_channel
from app.health.alerts.claim import lease_channel, take_alert
from app.health.alerts.duties import reseal_alert_secrets
from app.health.alerts.kinds import Means, open_notifiers
from app.health.alerts.renew import renew_secret
from app.health.alerts.send import AlertSender
from infra import clock
from infra.database.scope import EngineScope, TenantScope
from infra.database.unit import begin
from infra.egress.client import EgressClient
from infra.egress.policy import EgressPolicy
from infra.errors import Unprocessable
from infra.ids import Id
from infra.keys.vault import period_of
from infra.settings import MailSettings
from tests.app.health.alerts.desk import Desk


async def test_what_a_machine_gets_is_signed_and_has_facts(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner(portal_url="https://ops.harborline.example"))
    _, secret = await desk.channel(shop.scope, "webhook")
    incident_id = await desk.incident(shop, shops=["Boston"])

    await desk.tell()

    ((headers, body),) = desk.receiver.got
    told = Webhook(secret).verify(body, headers)
    assert told["type"] == "incident.opened"
    data = told["data"]
    assert headers["webhook-id"] == f"alert_{data['id']}"
    assert data["severity"] == "severe"
    assert (data["records"], data["at_risk"]) == (8112, {"USD": "412000.10"})
    assert data["affected"][0]["incident_id"] == str(incident_id)
    assert data["affected"][0]["shops"] == ["Boston"]
    assert data["link"] == f"https://ops.harborline.example/incidents/{incident_id}"
    assert headers["content-type"] == "application/json"
    assert "tillwire" not in (str(headers) + body.decode()).lower()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)


async def test_a_repeat_has_the_same_id_and_the_same_body(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, secret = await desk.channel(shop.scope, "webhook")
    desk.receiver.statuses = [500, 302, 200]
    await desk.incident(shop)

    await desk.tell()
    for _ in range(2):
        await desk.let_pass(60)
        await desk.send()

    assert len({body for _, body in desk.receiver.got}) == 1
    assert len({headers["webhook-id"] for headers, _ in desk.receiver.got}) == 1
    for headers, body in desk.receiver.got:
        Webhook(secret).verify(body, headers)
    (alert,) = await desk.alerts(channel)
    assert (alert["state"], alert["tries"]) == ("sent", 3)


async def test_a_sender_that_died_after_sending_is_repeated_under_the_same_id(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, "webhook")
    await desk.incident(shop)
    await desk.plan()
    # What a sender does before it dies: it takes the alert, tells it, and writes nothing down.
    leased = await lease_channel(desk.database)
    assert leased is not None
    taken = await take_alert(desk.database, leased)
    assert taken is not None
    await desk.sender._tell(leased, taken)

    await desk.send()
    meanwhile = len(desk.receiver.got)
    await desk.let_pass(60)
    await desk.send()

    ids = [headers["webhook-id"] for headers, _ in desk.receiver.got]
    (alert,) = await desk.alerts(channel)
    assert meanwhile == 1
    assert ids == [f"alert_{taken.id}"] * 2
    assert (alert["state"], alert["tries"]) == ("sent", 2)


async def test_the_end_waits_until_the_beginning_was_told(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, "webhook")
    desk.receiver.statuses = [503]
    incident_id = await desk.incident(shop)
    await desk.tell()
    await desk.moment(shop, incident_id, "resolved")
    await desk.plan()

    async with begin(EngineScope(), desk.database) as session:
        await session.execute("update alert_channel set leased_until = '-infinity'")
    await desk.send()
    early = len(desk.receiver.got)
    await desk.let_pass(60)
    await desk.send()

    types = [json.loads(body)["type"] for _, body in desk.receiver.got]
    assert early == 1
    assert types == ["incident.opened", "incident.opened", "incident.resolved"]
    assert await desk.states(channel) == [("opened", "sent"), ("resolved", "sent")]


async def test_410_switches_the_channel_off(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, "webhook")
    desk.receiver.statuses = [410]
    await desk.incident(shop)
    await desk.tell()
    await desk.incident(shop, fingerprint="another")

    await desk.tell()

    now = await read_channel(shop.scope, desk.database, channel.id)
    assert (now.is_enabled, now.disabled_reason) == (
        False,
        "The receiver answered 410: it is gone for good.",
    )
    assert await desk.states(channel) == [("opened", "failed")]
    again = await change_channel(shop.scope, desk.parts, channel.id, Changes(is_enabled=True))
    assert (again.is_enabled, again.disabled_reason) == (True, "")


async def test_patience_that_is_asked_for_is_kept_up_to_an_hour(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, "webhook")
    desk.receiver.statuses, desk.receiver.headers = [429], {"Retry-After": "99999"}
    await desk.incident(shop)
    await desk.tell()

    await desk.let_pass(3500)
    await desk.send()
    early = len(desk.receiver.got)
    await desk.let_pass(101)
    await desk.send()

    assert (early, len(desk.receiver.got)) == (1, 2)
    assert await desk.states(channel) == [("opened", "sent")]


async def test_after_a_day_of_trying_it_has_failed(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, "webhook")
    desk.receiver.statuses = [500]
    await desk.incident(shop)
    await desk.plan()
    async with begin(EngineScope(), desk.database) as session:
        await session.execute("update alert set created_at = now() - interval '24 hours'")

    await desk.send()

    ((_, state),) = await desk.states(channel)
    assert state == "failed"


def test_a_day_holds_a_bounded_number_of_tries() -> None:
    tries, waited = 0, timedelta(0)
    while waited < claim.GIVE_UP_AFTER:
        waited += timedelta(seconds=claim.BACKOFF_S[min(tries, len(claim.BACKOFF_S) - 1)])
        tries += 1

    assert tries == 54


async def test_a_new_secret_signs_beside_the_old_one_for_a_day(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, old = await desk.channel(shop.scope, "webhook")
    new = (await renew_secret(shop.scope, desk.parts, channel.id)).get_secret_value()
    await desk.incident(shop)

    await desk.tell()

    ((headers, body),) = desk.receiver.got
    assert old != new
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(body, headers)


async def test_secrets_are_sealed_under_a_key_of_their_owner(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    for scope in (shop.scope, shop.partner):
        await desk.channel(scope, "webhook")

    for owner in (shop.tenant_id, shop.partner_id):
        async with begin(TenantScope(owner), desk.database) as session:
            assert await session.fetch_value("select count(*) from data_key") == 1
    async with begin(EngineScope(), desk.database) as session:
        sealed = await session.fetch(
            "select sealed_secret from alert_channel where tenant_id = $1 or partner_id = $2",
            *(shop.tenant_id, shop.partner_id),
        )
    assert len(sealed) == 2
    assert not any(b"whsec" in row["sealed_secret"] for row in sealed)


async def test_secrets_move_to_the_new_months_key_and_sign_as_before(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    with time_machine.travel("2026-09-15T12:00Z", tick=False):
        channel, secret = await desk.channel(shop.partner, "webhook")
    before = await period_of_secret(desk, channel.id)
    month = period_of(clock.now())

    await reseal_alert_secrets(desk.database, desk.vault)
    await desk.incident(shop)
    await desk.tell(after_s=20)

    assert (before, await period_of_secret(desk, channel.id)) == (202609, month)
    ((headers, body),) = desk.receiver.got
    Webhook(secret).verify(body, headers)


async def period_of_secret(desk: Desk, channel_id: Id) -> object:
    async with begin(EngineScope(), desk.database) as session:
        return await session.fetch_value(
            "select secret_period from alert_channel where id = $1", channel_id
        )


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://hooks.example/x", "hooks.example must be reached by https."),
        ("https://10.0.0.7/x", "10.0.0.7 leads to a closed address (private)."),
        ("https://169.254.169.254/latest", "169.254.169.254 leads to a closed address"),
        ("https://[::1]/x", "::1 leads to a closed address (loopback)."),
        ("https://2130706433/x", "127.0.0.1 leads to a closed address (loopback)."),
        ("ftp://hooks.example/x", "it must start with https://"),
        ("https://user:word@hooks.example/x", "."),
    ],
)
async def test_an_address_inside_is_refused_in_words(desk: Desk, address: str, words: str) -> None:
    shop = await desk.shop(await desk.partner())
    strict = replace(desk, policy=EgressPolicy())

    with pytest.raises(Unprocessable) as refused:
        await strict.channel(shop.scope, "webhook", address)

    assert words in refused.value.detail
    assert refused.value.code == "alert.address_invalid"
    assert "word@" not in refused.value.detail


async def test_a_name_that_leads_inside_is_refused_when_it_is_called(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, "webhook")
    await desk.incident(shop)
    await desk.plan()
    async with EgressClient(EgressPolicy()) as egress:
        notifiers = open_notifiers(Means(egress, MailSettings()))
        await AlertSender(desk.database, desk.vault, notifiers).send_due()

    (alert,) = await desk.alerts(channel)
    assert desk.receiver.got == []
    assert (alert["state"], alert["last_problem"]) == (
        "failed",
        "127.0.0.1 must be reached by https.",
    )


async def test_many_senders_tell_each_alert_once_and_in_order(desk: Desk) -> None:
    shops = [await desk.shop(await desk.partner()) for _ in range(6)]
    for shop in shops:
        await desk.channel(shop.scope, "webhook", most_per_hour=100)
        for number in range(10):
            await desk.incident(shop, fingerprint=f"cause {number}")
    await desk.plan()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(desk.sender.send_due())

    ids = [headers["webhook-id"] for headers, _ in desk.receiver.got]
    assert (len(ids), len(set(ids))) == (60, 60)
