"""One incident is one alert for each of its changes, in one thread, with money and deadline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.exceptions.incidents.tell import next_step
from app.health.alerts.channels import Changes, change_channel
from infra import clock
from tests.app.health.alerts.desk import Desk, html_of, subjects, text_of


async def test_people_read_what_how_much_until_when_and_what_to_do(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner(portal_url="https://ops.harborline.example/"))
    await desk.channel(shop.scope)
    noon = clock.now().replace(microsecond=0)
    incident_id = await desk.incident(
        shop,
        since_at=noon - timedelta(minutes=90),
        deadline_at=datetime(2030, 1, 2, 16, 40, tzinfo=UTC),
        shops=["Boston", "Salem"],
        cause='{"kind": "mapping", "words": "The rule for taxes was changed.",'
        ' "at": "2026-11-20T21:10:00+00:00"}',
        owner="Ada",
    )

    await desk.tell()

    (mail,) = desk.postbox.mails
    lines = text_of(mail).splitlines()
    assert mail["Subject"] == (
        "Maple & Main: ERP has not answered since 20 Nov, 06:10; 8,112 orders wait"
        " - USD 412,000.10 at risk, first deadline Wed 02 Jan 2030, 11:40"
    )
    for line in (
        "Records: 8,112",
        "At risk: USD 412,000.10",
        "Shops: Boston, Salem",
        "First deadline: Wed 02 Jan 2030, 11:40 (America/New_York)",
        "Who is on it: Ada",
        f"Next step: {next_step('transient', 'ERP')}",
        f"https://ops.harborline.example/incidents/{incident_id}",
    ):
        assert line in lines, (line, lines)
    assert any(
        line.startswith("Change before: The rule for taxes was changed. (") for line in lines
    )
    assert "USD 412,000.10" in html_of(mail)
    assert "<img" not in html_of(mail)


async def test_each_change_is_one_alert_in_one_thread(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope)

    incident_id = await desk.incident(shop)
    await desk.tell()
    await desk.tell()
    await desk.moment(shop, incident_id, "grown")
    await desk.moment(shop, incident_id, "escalated", severity=3, words="A deadline has passed.")
    await desk.tell()
    await desk.moment(shop, incident_id, "resolved", words="At most it was 8,112 records.")
    await desk.tell()

    first, *later = desk.postbox.mails
    assert await desk.states(channel) == [
        ("opened", "sent"), ("escalated", "sent"), ("resolved", "sent"),
    ]  # fmt: skip
    assert [str(mail["Subject"])[:24] for mail in desk.postbox.mails] == [
        "Maple & Main: ERP has no", "Maple & Main: Worse: ERP", "Maple & Main: Over: ERP ",
    ]  # fmt: skip
    assert first["In-Reply-To"] is None
    assert {mail["In-Reply-To"] for mail in later} == {first["Message-ID"]}
    assert {mail["References"] for mail in later} == {first["Message-ID"]}
    assert "News: A deadline has passed." in text_of(later[0])
    assert "News: At most it was 8,112 records." in text_of(later[1])


async def test_what_was_over_before_anybody_was_told_disturbs_nobody(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope)

    incident_id = await desk.incident(shop)
    await desk.plan()
    await desk.moment(shop, incident_id, "resolved")
    await desk.tell()

    assert await desk.states(channel) == [("opened", "unneeded"), ("resolved", "unneeded")]
    assert desk.postbox.mails == []


async def test_opened_and_over_within_one_look_disturbs_nobody_unless_it_was_critical(
    desk: Desk,
) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope)
    for severity, cause in ((2, "slight"), (3, "critical")):
        incident_id = await desk.incident(shop, fingerprint=cause, severity=severity)
        await desk.moment(shop, incident_id, "resolved")

    await desk.tell()

    assert await desk.states(channel) == [
        ("opened", "unneeded"), ("resolved", "unneeded"), ("opened", "sent"), ("resolved", "sent"),
    ]  # fmt: skip


async def test_an_unsent_alert_gives_way_to_what_happened_next(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope)

    incident_id = await desk.incident(shop)
    await desk.moment(shop, incident_id, "escalated", severity=3)
    await desk.tell()

    assert await desk.states(channel) == [("opened", "unneeded"), ("escalated", "sent")]
    (mail,) = desk.postbox.mails
    assert mail["In-Reply-To"] is None


async def test_a_snoozed_incident_is_quiet_until_it_gets_worse(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope)
    until = clock.now() + timedelta(hours=1)

    incident_id = await desk.incident(shop, snoozed_until=until)
    await desk.tell()
    quiet = list(desk.postbox.mails)
    await desk.moment(shop, incident_id, "escalated", severity=3)
    await desk.tell()

    assert quiet == []
    assert await desk.states(channel) == [("opened", "unneeded"), ("escalated", "sent")]


async def test_a_channel_hears_only_of_what_is_grave_enough_and_of_its_end(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, least_severity=3)

    slight = await desk.incident(shop, fingerprint="slight", severity=2)
    grave = await desk.incident(shop, fingerprint="grave", severity=3)
    await desk.tell()
    for incident_id in (slight, grave):
        await desk.moment(shop, incident_id, "resolved", severity=1)
    await desk.tell()

    assert await desk.states(channel) == [("opened", "sent"), ("resolved", "sent")]


async def test_a_retailer_hears_nothing_of_another(desk: Desk) -> None:
    partner = await desk.partner()
    maple, cedar = await desk.shop(partner), await desk.shop(partner, "Cedar Goods")
    theirs, _ = await desk.channel(cedar.scope)
    await desk.incident(maple)

    await desk.tell()

    assert await desk.states(theirs) == []
    assert desk.postbox.mails == []


async def test_an_alert_to_a_channel_that_is_gone_is_not_kept_waiting(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope)
    await desk.incident(shop)
    await desk.plan()
    await change_channel(shop.scope, desk.parts, channel.id, Changes(is_enabled=False))

    await desk.tell()

    ((_, state),) = await desk.states(channel)
    assert state == "unneeded"
    assert subjects(desk.postbox.mails) == []
