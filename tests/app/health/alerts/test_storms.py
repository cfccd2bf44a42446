"""A storm of 2,800 moments does not become 2,800 mails, and never hides what is critical."""

from __future__ import annotations

import asyncio
import json

from infra import clock
from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.ids import new_id
from tests.app.health.alerts.desk import Desk, Shop, subjects, text_of


async def storm(desk: Desk, shop: Shop, count: int, *, critical_every: int = 0) -> None:
    """Write incidents of `count` causes at once; every so manieth is critical."""
    now, incidents, moments = clock.now(), [], []
    for number in range(count):
        severity = 3 if critical_every and number % critical_every == 0 else 2
        incident_id = new_id()
        incidents.append(
            (
                *(shop.tenant_id, incident_id, f"cause {number}".encode(), shop.connection_id),
                *(f"ERP cannot take order {number}", severity, json.dumps({"USD": "10.50"}), now),
            )
        )
        detail = json.dumps({"severity": severity})
        moments.append((shop.tenant_id, new_id(), incident_id, detail))
    async with begin(EngineScope(), desk.database) as session:
        await session.execute_many(
            "insert into incident (tenant_id, id, fingerprint, connection_id, connector, error_class,"
            " code, title, severity, at_risk, held, first_seen_at, last_seen_at, since_at)"
            " values ($1, $2, $3, $4, 'http', 'data', 'sku.unknown', $5, $6, $7, 2, $8, $8, $8)",
            incidents,
        )
        await session.execute_many(
            "insert into incident_moment (tenant_id, id, incident_id, kind, actor, words, detail)"
            " values ($1, $2, $3, 'opened', 'system', 'Opened.', $4)",
            moments,
        )


async def test_2800_moments_are_ten_alerts_all_critical_ones_and_one_digest(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, most_per_hour=10, digest_every_s=600)
    await storm(desk, shop, 2800, critical_every=280)

    await desk.tell()
    at_once = list(desk.postbox.mails)
    await desk.tell(after_s=600)

    counts: dict[tuple[str, int, str], int] = {}
    for each in await desk.alerts(channel):
        place = (each["kind"], each["severity"], each["state"])
        counts[place] = counts.get(place, 0) + 1
    assert counts == {
        ("opened", 3, "sent"): 10,
        ("opened", 2, "sent"): 10,
        ("opened", 2, "digested"): 2780,
        ("digest", 2, "sent"): 1,
    }
    assert len(at_once) == 20
    (digest,) = desk.postbox.mails[20:]
    lines = text_of(digest).splitlines()
    assert digest["Subject"] == (
        "Maple & Main: 2,780 further alerts about 2,780 incidents, 2,780 still open"
        " - 5,560 records, USD 29,190.00 at risk"
    )
    assert "What: 2,780 further alerts about 2,780 incidents, told together" in lines
    assert "- and 2,770 more" in lines


async def test_critical_alerts_go_first(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    await desk.channel(shop.scope, most_per_hour=10)
    await desk.incident(shop, fingerprint="a", title="Slight one", severity=1)
    await desk.incident(shop, fingerprint="b", title="Critical one", severity=3)

    await desk.tell()

    assert [each.split(" - ")[0] for each in subjects(desk.postbox.mails)] == [
        "Maple & Main: Critical one", "Maple & Main: Slight one",
    ]  # fmt: skip


async def test_the_last_alert_of_the_hour_says_what_becomes_of_the_next(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    await desk.channel(shop.scope, most_per_hour=2, digest_every_s=600)
    await storm(desk, shop, 3)

    await desk.tell()

    first, last = map(text_of, desk.postbox.mails)
    assert "Note:" not in first
    assert (
        "Note: This is the last of at most 2 alerts an hour. Further ones come together, 10 min after"
        " the first of them; what is critical still comes at once." in last
    )


async def test_a_digest_says_what_is_over_and_its_end_disturbs_nobody(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, most_per_hour=1, digest_every_s=600)
    await desk.incident(shop, fingerprint="first")
    over = await desk.incident(shop, fingerprint="over", at_risk='{"USD": "5.00"}')
    await desk.incident(shop, fingerprint="open", at_risk='{"USD": "7.00", "EUR": "1"}')
    await desk.tell()
    await desk.moment(shop, over, "resolved")

    await desk.tell(after_s=600)

    digest = text_of(desk.postbox.mails[-1]).splitlines()
    assert "Still open: 1" in digest
    assert "Over by now: 1" in digest
    assert "At risk: EUR 1 + USD 7.00" in digest
    assert (await desk.states(channel))[-1] == ("resolved", "unneeded")
    assert len(desk.postbox.mails) == 2


async def test_what_a_digest_told_is_told_of_when_it_ends(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, most_per_hour=1, digest_every_s=600)
    await desk.incident(shop, fingerprint="first")
    late = await desk.incident(shop, fingerprint="late")
    await desk.tell(after_s=600)
    await desk.moment(shop, late, "resolved")

    await desk.tell(after_s=600)

    assert await desk.states(channel) == [
        ("opened", "sent"), ("opened", "digested"), ("digest", "sent"),
        ("resolved", "digested"), ("digest", "sent"),
    ]  # fmt: skip
    assert "0 still open" in subjects(desk.postbox.mails)[-1]


async def test_an_hour_later_there_is_room_again(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, most_per_hour=1, digest_every_s=604_800)
    await desk.incident(shop, fingerprint="first")
    await desk.tell()
    async with begin(EngineScope(), desk.database) as session:
        await session.execute("update alert set created_at = created_at - interval '61 minutes'")
    await desk.incident(shop, fingerprint="second")

    await desk.tell()

    assert await desk.states(channel) == [("opened", "sent"), ("opened", "sent")]


async def test_two_planners_at_once_make_each_alert_once(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope, most_per_hour=1000)
    await storm(desk, shop, 700)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(desk.plan())
    await desk.plan()

    assert await desk.states(channel) == [("opened", "pending")] * 700
