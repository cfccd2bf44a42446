"""A recall takes an article off every channel's stock; its end gives back what was there before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.connections.tenant import acting_tenant
from app.retail.inventory.rules import ChannelRuleRow, NewRule, list_rules, put_rule
from app.retail.prices.book import Stored
from app.retail.prices.wants import wanted_stop
from connectors.canonical.product import Product
from infra.database.unit import Session
from infra.ids import Id

RULES_MAX = 100_000
NOTHING_SHOWN = 0

_STOPPED = """
select connection_id, sku, publish_most from stopped_sale
where tenant_id = $1 and sku = any ($2) and ended_at is null
"""
_STOP = """
insert into stopped_sale (tenant_id, connection_id, sku, publish_most) values ($1, $2, $3, $4)
on conflict (tenant_id, connection_id, sku) do update set publish_most = excluded.publish_most,
    stopped_at = now(), ended_at = null
"""
_END = """
update stopped_sale set ended_at = now() where tenant_id = $1 and connection_id = $2 and sku = $3
"""


@dataclass(frozen=True, slots=True)
class _Channel:
    """What a channel may show of one article now: by its own rule, or by the one for all others."""

    connection_id: Id
    sku: str
    rule: ChannelRuleRow

    def shown_at_most(self, most: int | None, reason: str) -> NewRule:
        """Give the same rule with another upper limit."""
        rule = self.rule
        return NewRule(
            pool=rule.pool,
            share_0_1=rule.share_0_1,
            safety_units=rule.safety_units,
            publish_from=rule.publish_from,
            publish_most=most,
            self_decrements=rule.self_decrements,
            location=rule.location,
            frozen_until=rule.frozen_until,
            reason=reason,
        )


async def stop_or_allow_sales(
    session: Session, versions: Mapping[str, Sequence[Stored]], now: datetime
) -> None:
    """Let channels show nothing of what is recalled, and what they showed before of what is not.

    Takes:  every version of the products that changed. Safe to repeat: what is stopped stays so.
    """
    stopped, allowed = _sorted(versions, now)
    if not stopped | allowed:
        return
    tenant_id = acting_tenant(session)
    rows = await session.fetch(_STOPPED, tenant_id, sorted(stopped | allowed))
    known = {(row["connection_id"], row["sku"]): row["publish_most"] for row in rows}
    rules = await list_rules(session, limit=RULES_MAX)
    for channel in _channels(rules, sorted(stopped | allowed)):
        key = (channel.connection_id, channel.sku)
        if channel.sku in stopped and key not in known:
            await session.execute(_STOP, tenant_id, *key, channel.rule.publish_most)
            rule = channel.shown_at_most(NOTHING_SHOWN, "Recalled: sale is stopped.")
            await put_rule(session, *key, rule)
        elif channel.sku in allowed and key in known:
            await session.execute(_END, tenant_id, *key)
            rule = channel.shown_at_most(known[key], "The recall is over.")
            await put_rule(session, *key, rule)


def _sorted(versions: Mapping[str, Sequence[Stored]], now: datetime) -> tuple[set[str], set[str]]:
    """Give the articles that must not be sold now, and those that may."""
    stopped: set[str] = set()
    named: set[str] = set()
    for found in versions.values():
        begun = [each for each in wanted_stop(found) if each.begins_at <= now]
        skus = {variant.sku for each in found for variant in each.read(Product).variants}
        named |= skus
        if begun and not begun[-1].is_end:
            stopped |= skus
    return stopped, named - stopped


def _channels(rules: Sequence[ChannelRuleRow], skus: Sequence[str]) -> Iterator[_Channel]:
    by_key = {(rule.connection_id, rule.sku): rule for rule in rules}
    for connection_id in sorted({rule.connection_id for rule in rules}):
        for sku in skus:
            rule = by_key.get((connection_id, sku)) or by_key.get((connection_id, ""))
            if rule is not None:
                yield _Channel(connection_id, sku, rule)
