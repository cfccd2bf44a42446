"""A partner is told once of a cause that many of its retailers have, and of nobody else's."""

from __future__ import annotations

from infra.database.unit import begin
from tests.app.health.alerts.desk import Desk, Shop, subjects, text_of


async def shops_of(desk: Desk, partner_id: object, count: int) -> list[Shop]:
    return [await desk.shop(partner_id, f"Shop {number:02}") for number in range(1, count + 1)]  # type: ignore[arg-type]


async def test_one_cause_at_31_retailers_is_one_alert_that_says_so(desk: Desk) -> None:
    shops = await shops_of(desk, await desk.partner(), 31)
    channel, _ = await desk.channel(shops[0].partner)
    for number, shop in enumerate(shops, 1):
        await desk.incident(shop, waiting=number, at_risk='{"USD": "100.10"}', severity=3)

    await desk.plan()
    await desk.send()
    before = list(desk.postbox.mails)
    await desk.tell(after_s=20)

    (mail,) = desk.postbox.mails
    lines = text_of(mail).splitlines()
    assert before == []
    assert mail["Subject"] == (
        "31 retailers: ERP does not answer - 496 records, USD 3,103.10 at risk"
    )
    assert "Retailers: 31" in lines
    assert "- and 21 more" in lines
    assert len([line for line in lines if line.startswith("- Shop ")]) == 10
    assert (await desk.states(channel)).count(("opened", "joined")) == 31


async def test_a_cause_at_one_retailer_reads_like_that_retailers_own_alert(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    await desk.channel(shop.partner)
    await desk.incident(shop)

    await desk.tell(after_s=20)

    (said,) = subjects(desk.postbox.mails)
    assert said == (
        "Maple & Main: ERP has not answered since 20 Nov, 06:10; 8,112 orders wait"
        " - USD 412,000.10 at risk"
    )


async def test_retailers_that_follow_are_one_more_alert_in_the_same_thread(desk: Desk) -> None:
    shops = await shops_of(desk, await desk.partner(), 6)
    await desk.channel(shops[0].partner)
    await desk.incident(shops[0])
    await desk.tell(after_s=20)
    for shop in shops[1:]:
        await desk.incident(shop)
    await desk.tell(after_s=60)
    early = len(desk.postbox.mails)

    await desk.tell(after_s=60)

    first, second = desk.postbox.mails
    assert early == 1
    assert subjects([second])[0].startswith("5 retailers: ERP does not answer")
    assert second["In-Reply-To"] == first["Message-ID"]


async def test_the_end_at_all_of_them_is_one_alert(desk: Desk) -> None:
    shops = await shops_of(desk, await desk.partner(), 5)
    channel, _ = await desk.channel(shops[0].partner)
    incidents = [(shop, await desk.incident(shop)) for shop in shops]
    await desk.tell(after_s=20)
    for shop, incident_id in incidents:
        await desk.moment(shop, incident_id, "resolved")

    await desk.tell(after_s=20)

    assert subjects(desk.postbox.mails)[1:] == ["5 retailers: Over: ERP does not answer"]
    told = [each for each in await desk.alerts(channel) if each["gathers"]]
    assert [(each["kind"], each["state"]) for each in told] == [
        ("opened", "sent"), ("resolved", "sent"),
    ]  # fmt: skip


async def test_what_is_over_while_it_gathers_is_told_to_nobody(desk: Desk) -> None:
    shops = await shops_of(desk, await desk.partner(), 2)
    channel, _ = await desk.channel(shops[0].partner)
    incidents = [(shop, await desk.incident(shop)) for shop in shops]
    await desk.plan()
    for shop, incident_id in incidents:
        await desk.moment(shop, incident_id, "resolved")

    await desk.tell(after_s=20)

    assert desk.postbox.mails == []
    assert {state for _, state in await desk.states(channel)} == {"unneeded"}


async def test_another_partner_hears_nothing(desk: Desk) -> None:
    mine = await desk.shop(await desk.partner())
    other = await desk.shop(await desk.partner("Zyxwa Ltd"), "Cedar Goods")
    theirs, _ = await desk.channel(other.partner)
    await desk.incident(mine)

    await desk.tell(after_s=20)

    assert await desk.states(theirs) == []
    assert desk.postbox.mails == []


async def test_a_retailer_does_not_see_what_its_partner_was_told(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    await desk.channel(shop.partner)
    await desk.incident(shop)
    await desk.tell(after_s=20)

    async with begin(shop.scope, desk.database) as session:
        seen = await session.fetch_value("select count(*) from alert")
        channels = await session.fetch_value("select count(*) from alert_channel")
    async with begin(shop.partner, desk.database) as session:
        own = await session.fetch_value("select count(*) from alert")

    assert (seen, channels, own) == (0, 0, 2)


async def test_a_storm_at_a_partner_is_a_digest_over_its_retailers(desk: Desk) -> None:
    shops = await shops_of(desk, await desk.partner(), 3)
    channel, _ = await desk.channel(shops[0].partner, most_per_hour=1, digest_every_s=600)
    for number, shop in enumerate(shops):
        await desk.incident(shop, fingerprint=f"cause {number}", at_risk='{"USD": "1.00"}')

    await desk.tell(after_s=20)
    await desk.tell(after_s=600)

    (_, digest) = subjects(desk.postbox.mails)
    assert digest == (
        "2 retailers: 2 further alerts about 2 incidents, 2 still open"
        " - 16,224 records, USD 2.00 at risk"
    )
    assert (await desk.states(channel)).count(("opened", "digested")) == 2
