"""What channels show is brought to what they may show: in order of risk, by one path, to the end."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from app.retail.breaks import list_breaks
from app.retail.publishing.acks import write_acks
from app.retail.publishing.judge import judge
from app.retail.publishing.take import take
from app.retail.publishing.turns import Turn, Turns
from app.retail.publishing.waiting import read_waiting
from connectors.catalog.http.emulator import Faults
from connectors.catalog.http.emulator.limits import RULES, Limit
from connectors.catalog.shopify.emulator import ShopState
from connectors.catalog.shopify.emulator.state import LOCATION_GID
from connectors.sdk.outcome import Delivered
from infra import clock
from infra.database.unit import begin
from infra.embedded.servers import Servers
from tests.scenarios.channels import Shelf, open_shelf, publishing
from tests.scenarios.erp import WorkerProcess, serve_shop
from tests.stage import SECRET, Stage


async def test_a_channel_shows_what_it_may_show_and_its_row_says_so(stage: Stage) -> None:
    async with open_shelf(stage, market={}) as shelf:
        await shelf.told("market", "A", 7)
        await shelf.told("market", "B", 0, 4)
        async with publishing(stage):
            await shelf.converged()
        row = await shelf.row("market", "B")

    assert shelf.channels["market"].shown == {"A": 7, "B": 0}
    assert (row["state"], row["shown"], row["sent"], row["occurred_at"]) == ("shown", 0, None, None)
    assert [line.sku for line in shelf.channels["market"].log.lines] == ["B", "A"]


async def test_quota_used_up_the_riskiest_article_goes_next_though_it_came_last(
    stage: Stage,
) -> None:
    """E-I12. Risk order under a quota: lower risk is parked, nothing is refused by the channel."""
    amazon = {"limit": Limit(RULES["amazon"]), "budget": {"rate_per_s": 5, "burst": 10}}
    async with open_shelf(stage, amazon=amazon) as shelf:
        channel = shelf.channels["amazon"]
        for number in range(60):
            await shelf.told("amazon", f"calm-{number:02}", 90, 100)
        async with publishing(stage):
            await stage.until(
                shelf.retailer, "select count(*) >= 15 from channel_position where shown = 90", True
            )
            before = len(channel.log.lines)
            await shelf.told("amazon", "sold-out", 0, 3)
            await stage.until(
                shelf.retailer,
                "select count(*) from channel_position where sku = 'sold-out' and shown = 0",
                1,
            )
            after = [line.sku for line in channel.log.lines].index("sold-out")
            await shelf.converged()

    # At most one was on its way when the news came, and one more before they were read.
    assert after - before <= 2
    assert {line.kind for line in channel.log.lines} == {"shown"}
    assert len(channel.log.lines) == 61


async def test_an_article_that_its_channel_refuses_stands_alone_until_its_target_moves(
    stage: Stage,
) -> None:
    async with open_shelf(stage, market={}) as shelf:
        channel = shelf.channels["market"]
        channel.unlisted = {"B"}
        for sku in "ABC":
            await shelf.told("market", sku, 1, 5)
        async with publishing(stage):
            await shelf.converged()
            refused = await shelf.row("market", "B")
            breaks = await _open_breaks(shelf)
            channel.unlisted = set()
            await shelf.told("market", "B", 2)
            await shelf.converged()
        healed = await shelf.row("market", "B")

    assert (refused["state"], refused["code"], refused["shown"]) == ("refused", "target.refused", 5)
    assert "Correct it" in refused["words"]
    key = f"{shelf.id_of('market')}|B"
    words = f"The channel does not take the stock of B: {refused['words']}"
    assert breaks == [("listing.refused", key, words, Decimal(40))]
    assert (healed["state"], healed["shown"], healed["code"]) == ("shown", 2, "")
    assert channel.shown == {"A": 1, "B": 2, "C": 1}
    assert await _open_breaks(shelf) == []


async def test_what_became_of_a_lost_answer_is_asked_before_anything_else(stage: Stage) -> None:
    async with open_shelf(stage, market={"lookup_path": "/records/{key}"}) as shelf:
        channel = shelf.channels["market"]
        channel.faults = Faults(lost=1.0)
        await shelf.told("market", "A", 3, 8)
        async with publishing(stage):
            await stage.until(
                shelf.retailer,
                "select count(*) from channel_position where code = 'outcome.unknown'",
                1,
            )
            unsure = await shelf.row("market", "A")
            channel.faults = Faults()
            await shelf.converged()
        sure = await shelf.row("market", "A")

    assert (unsure["shown"], unsure["sent"], unsure["state"]) == (8, 3, "due")
    assert (sure["shown"], sure["sent"], sure["code"]) == (3, None, "")
    # It was told once: the question found that it had been done.
    assert channel.book.request_count == 1


async def test_a_lost_answer_of_a_channel_that_cannot_be_asked_is_told_again_under_its_key(
    stage: Stage,
) -> None:
    async with open_shelf(stage, market={}) as shelf:
        channel = shelf.channels["market"]
        channel.faults = Faults(lost=1.0)
        await shelf.told("market", "A", 3, 8)
        async with publishing(stage):
            await stage.until(
                shelf.retailer,
                "select count(*) from channel_position where code = 'outcome.unknown'",
                1,
            )
            channel.faults = Faults()
            await shelf.converged()

    assert channel.book.request_count == 2
    assert list(channel.book.effects.values()) == [1]
    assert [line.units for line in channel.log.lines] == [3]


async def test_a_value_that_came_back_to_what_was_shown_is_told_after_an_answer_was_lost(
    stage: Stage,
) -> None:
    async with open_shelf(stage, market={}) as shelf:
        channel = shelf.channels["market"]
        channel.shown, channel.faults = {"A": 8}, Faults(lost=1.0)
        await shelf.told("market", "A", 3, 8)
        async with publishing(stage):
            await stage.until(
                shelf.retailer,
                "select count(*) from channel_position where code = 'outcome.unknown'",
                1,
            )
            await shelf.told("market", "A", 8)
            channel.faults = Faults()
            await shelf.converged()
        row = await shelf.row("market", "A")

    # The lost one had landed: without asking, 3 would stay there for ever.
    assert channel.shown == {"A": 8}
    assert (row["shown"], row["target"], row["sent"]) == (8, 8, None)


async def test_two_workers_walk_one_path(stage: Stage) -> None:
    """E-I13. A channel has one path: no value lands after a newer one, whoever sends."""
    async with open_shelf(stage, one={}, two={}) as shelf:
        async with publishing(stage), publishing(stage), publishing(stage):
            for number in range(120):
                name = ("one", "two")[number % 2]
                await shelf.told(name, f"SKU-{number % 7}", number % 11)
            await shelf.converged()
        tokens = await stage.rows(shelf.retailer, "select token, holder from channel_turn")

    for channel in shelf.channels.values():
        assert {line.kind for line in channel.log.lines} == {"shown"}
        assert max(channel.book.effects.values()) == 1
    assert all(row["token"] >= 1 and row["holder"] == "" for row in tokens)
    for number in range(113, 120):
        name = ("one", "two")[number % 2]
        assert (await shelf.row(name, f"SKU-{number % 7}"))["shown"] == number % 11


async def test_who_lost_the_turn_writes_nothing_and_takes_nothing(stage: Stage) -> None:
    async with open_shelf(stage, market={}) as shelf:
        await shelf.told("market", "A", 3, 8)
        turns = Turns(stage.database, "slow")
        (mine,) = [
            each for each in await turns.claim(10) if each.channel[1] == shelf.id_of("market")
        ]
        async with begin(shelf.retailer.scope, stage.database) as session:
            (taken,) = await take(session, mine, ["A"], can_ask=False)
        await stage.write(shelf.retailer, "update channel_turn set leased_until = now()")
        others = Turns(stage.database, "quick")
        await stage.write(shelf.retailer, "update channel_turn set due_at = now()")
        (theirs,) = [each for each in await others.claim(10) if each.channel == mine.channel]

        await turns.renew([mine])
        async with begin(shelf.retailer.scope, stage.database) as session:
            written = await write_acks(session, mine, [judge(taken, Delivered())])
            retaken = await take(session, mine, ["A"], can_ask=False)
        row = await shelf.row("market", "A")
        await others.release(theirs, None)

    assert (list(written), list(retaken)) == ([], [])
    assert not mine.lasts(0)
    assert theirs.token == mine.token + 1
    assert (row["shown"], row["sent"], row["state"]) == (8, 3, "due")


async def test_the_order_in_the_book_is_that_of_the_rule(stage: Stage) -> None:
    drawn = random.Random(5)  # noqa: S311 - repeatable
    async with open_shelf(stage, market={}) as shelf:
        for number in range(150):
            shown = drawn.choice([None, drawn.randrange(60)])
            await shelf.told("market", f"SKU-{number}", drawn.randrange(40), shown)
        turn = Turn(shelf.retailer.tenant_id, shelf.id_of("market"), 1, 0.0)
        async with begin(shelf.retailer.scope, stage.database) as session:
            waiting = await read_waiting(session, turn)

    ranks = [each.rank for each in waiting]
    assert len(ranks) == 150
    assert ranks == sorted(ranks)


async def test_a_frozen_rule_keeps_what_is_shown_until_its_time_is_over(stage: Stage) -> None:
    async with open_shelf(stage, market={}) as shelf:
        await shelf.rule("market", "A", frozen_until=clock.now() + timedelta(hours=1))
        await shelf.told("market", "A", 3, 8)
        await shelf.told("market", "B", 3, 8)
        async with publishing(stage):
            await stage.until(
                shelf.retailer, "select count(*) from channel_position where state = 'frozen'", 1
            )
            await shelf.converged()
            frozen = dict(shelf.channels["market"].shown)
            await stage.write(shelf.retailer, "update channel_rule set frozen_until = now()")
            await shelf.told("market", "B", 4)
            await stage.until(
                shelf.retailer, "select count(*) from channel_position where state = 'frozen'", 0
            )
            await shelf.converged()

    assert frozen == {"B": 3}
    assert shelf.channels["market"].shown == {"A": 3, "B": 4}


async def test_of_two_paths_to_one_channel_the_publisher_stands_back_and_says_so(
    stage: Stage,
) -> None:
    """E-I13. A flow that brings stock to the same channel keeps the publisher away from it."""
    async with open_shelf(stage, market={}, quiet={}) as shelf:
        await stage.connect(shelf.retailer, "erp", "http")
        flow_id = await stage.flow(
            shelf.retailer, "erp", "market", types=["retail.stock.position.v1"]
        )
        await shelf.told("market", "A", 3, 8)
        await shelf.told("quiet", "A", 3, 8)
        async with publishing(stage):
            await stage.until(
                shelf.retailer, "select count(*) from break where kind = 'channel.held'", 1
            )
            await stage.until(
                shelf.retailer, "select count(*) from channel_position where shown = 3", 1
            )
            held, sent = await _open_breaks(shelf), dict(shelf.channels["market"].shown)
            await stage.write(
                shelf.retailer, "update flow set is_enabled = false where id = $1", flow_id
            )
            await shelf.told("market", "A", 2)
            await shelf.converged()

    assert sent == {}
    ((kind, key, words, _),) = held
    assert (kind, key) == ("channel.held", str(shelf.id_of("market")))
    assert words.startswith('The flow "erp to market 0" brings stock to this channel, too.')
    assert shelf.channels["market"].shown == {"A": 2}
    assert await _open_breaks(shelf) == []


async def test_a_paused_channel_is_told_nothing_and_later_only_the_newest(stage: Stage) -> None:
    async with open_shelf(stage, market={}, open={}) as shelf:
        await stage.write(
            shelf.retailer, "update connection set state = 'paused' where name = 'market'"
        )
        for target in (7, 6, 5):
            await shelf.told("market", "A", target, 8)
        await shelf.told("open", "A", 1)
        async with publishing(stage):
            await stage.until(
                shelf.retailer, "select count(*) from channel_position where shown = 1", 1
            )
            paused = dict(shelf.channels["market"].shown)
            await stage.write(
                shelf.retailer, "update connection set state = 'active' where name = 'market'"
            )
            await shelf.converged()

    assert paused == {}
    assert [line.units for line in shelf.channels["market"].log.lines] == [5]


async def test_a_target_below_nothing_cannot_be_and_nothing_is_shown_as_none(stage: Stage) -> None:
    """E-I23. Safety stock above what there is: the channel shows 0, never less."""
    async with open_shelf(stage, market={}) as shelf:
        await shelf.told("market", "A", 0, 4)
        with pytest.raises(asyncpg.CheckViolationError):
            await shelf.told("market", "A", -1)
        async with publishing(stage):
            await shelf.converged()

    assert [line.units for line in shelf.channels["market"].log.lines] == [0]


async def _open_breaks(shelf: Shelf) -> list[tuple[str, str, str, Decimal | None]]:
    async with begin(shelf.retailer.scope, shelf.stage.database) as session:
        found = await list_breaks(session, shelf.retailer.tenant_id)
    return [(each.kind, each.key, each.words, each.amount) for each in found]


async def test_a_sale_at_the_shop_during_a_publish_is_never_offered_again(stage: Stage) -> None:
    """E-I10, E-I11. The shop counts its own sales: what it shows never rises because of us."""
    state = ShopState(seed=3, access_token=SECRET, webhook_secret=SECRET, start_quantity=10)
    async with serve_shop(state) as url, open_shelf(stage) as shelf:
        places = {"main": LOCATION_GID}
        await stage.connect(shelf.retailer, "web", "shopify", base_url=url, locations=places)
        await stage.give_secret(shelf.retailer, "web", ["access_token"])
        await shelf.rule("web", location="main")
        article = state.articles["MM-0001"]
        place = (article.item_gid, LOCATION_GID)
        await shelf.told("web", "MM-0001", 9, 10)
        # Three were sold at the shop, of which nobody has told us.
        state.available[place] = 7
        async with publishing(stage):
            await stage.until(
                shelf.retailer,
                "select count(*) from channel_position where code = 'stock.sold_meanwhile'",
                1,
            )
            unsold = state.available[place]
            # The order came: six may be shown.
            await shelf.told("web", "MM-0001", 6)
            await shelf.converged()

    rises = [
        each for each in state.log if each["kind"] == "stock_set" and each["after"] > each["before"]
    ]
    assert (unsold, state.available[place]) == (7, 6)
    assert rises == []


async def test_a_hot_article_that_keeps_moving_is_read_again_each_time(stage: Stage) -> None:
    """E-I11. A storm of compare-and-set conflicts ends with the right value and no rise."""
    state = ShopState(seed=3, access_token=SECRET, webhook_secret=SECRET, start_quantity=60)
    # A customer buys between any two calls of the first eight.
    busy = _Busy(state, 8)
    state.clock = busy
    async with serve_shop(state) as url, open_shelf(stage) as shelf:
        await stage.connect(
            shelf.retailer, "web", "shopify", base_url=url, location_id=LOCATION_GID
        )
        await stage.give_secret(shelf.retailer, "web", ["access_token"])
        await shelf.told("web", "MM-0001", 20, 60)
        async with publishing(stage):
            await shelf.converged()
        row = await shelf.row("web", "MM-0001")

    sets = [(e["before"], e["after"]) for e in state.log if e["kind"] == "stock_set"]
    conflicts = [e for e in state.log if e["kind"] == "refused"]
    assert busy.left == 0
    assert len(conflicts) >= 3
    assert all(after < before for before, after in sets)
    assert (row["state"], row["shown"], row["tries"]) == ("shown", 20, 0)


class _Busy:
    """The shop's clock, at whose ticks somebody buys."""

    def __init__(self, state: ShopState, left: int) -> None:
        self._state = state
        self.left = left

    def __call__(self) -> datetime:
        if self.left:
            self.left -= 1
            place = (self._state.articles["MM-0001"].item_gid, LOCATION_GID)
            self._state.available[place] -= 1
        return clock.now()


async def test_what_a_killed_worker_had_in_hand_is_told_by_the_next_one(
    stage: Stage, servers: Servers, database_urls: tuple[str, str], tmp_path: Path
) -> None:
    """A worker dies in the middle of a call and of a long queue; nothing is lost or told twice."""
    quota = {"limit": Limit(RULES["amazon"]), "budget": {"rate_per_s": 5, "burst": 10}}
    async with open_shelf(stage, market=quota) as shelf:
        channel = shelf.channels["market"]
        for number in range(40):
            await shelf.told("market", f"SKU-{number:02}", number % 9, 50)
        first = WorkerProcess(servers, database_urls[1], tmp_path / "first.log")
        try:
            await stage.until(
                shelf.retailer, "select count(*) >= 5 from channel_position where shown < 50", True
            )
            # The next answers leave nobody to hear them.
            channel.faults = Faults(lost=1.0)
            await stage.until(
                shelf.retailer, "select count(*) > 0 from channel_position where sent >= 0", True
            )
        finally:
            first.kill()
        channel.faults = Faults()
        await shelf.told("market", "SKU-39", 50)
        await stage.write(shelf.retailer, "update channel_turn set leased_until = now()")
        await stage.write(shelf.retailer, "update channel_turn set due_at = now()")
        second = WorkerProcess(servers, database_urls[1], tmp_path / "second.log")
        try:
            await shelf.converged(at_most_s=60)
        finally:
            second.stop()

    wanted = {f"SKU-{number:02}": number % 9 for number in range(39)} | {"SKU-39": 50}
    told = {sku: channel.shown.get(sku, 50) for sku in wanted}
    assert told == wanted
    assert max(channel.book.effects.values()) == 1
    assert {line.kind for line in channel.log.lines} == {"shown"}
