"""`tillwire stock`: how articles stand, why one does not move, rules, places, kits, oversell cases."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, cast

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.names import find_connection, in_retailer
from app.cli.oversells import oversells, resolve
from app.retail.inventory.kits import read_kit, set_kit
from app.retail.inventory.places import StockPlace, list_places, put_place
from app.retail.inventory.read import PositionFilter, Why, explain_article, list_positions
from app.retail.inventory.rules import NewRule, list_rules, put_rule
from app.retail.inventory.units import set_conversion
from infra import clock
from infra.database.scope import TenantScope
from infra.database.unit import Session
from infra.errors import PlatformError

MOST_ROWS = 500

commands = typer.Typer(no_args_is_help=True)

RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
Article = Annotated[str, typer.Argument(help="The article (SKU).")]
Reason = Annotated[str, typer.Option(help="Why; stands beside the rule.")]


@commands.callback()
def stock() -> None:
    """Stock of a retailer: what there is, and what its channels may show of it."""


@commands.command("list")
@plainly
def list_stock(
    retailer: RetailerName,
    *,
    sku: Annotated[str, typer.Option(help="Only this article.")] = "",
    location: Annotated[str, typer.Option(help="Only this place.")] = "",
    negative: Annotated[bool, typer.Option("--negative", help="Only below nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what stands where, in which state; the first 500."""

    async def act(session: Session) -> list[dict[str, Any]]:
        wanted = PositionFilter(sku, location, negative)
        return [asdict(each) for each in await list_positions(session, wanted, MOST_ROWS)]

    rows = asyncio.run(in_retailer(retailer, act))
    show_rows(
        "Stock", [{**row, "quantity": _plain(row["quantity"])} for row in rows], as_json=as_json
    )


@commands.command("why")
@plainly
def why(retailer: RetailerName, sku: Article, *, as_json: AsJson = False) -> None:
    """Say why an article is not moving: who told last, what each channel shows, what waits."""

    async def act(session: Session) -> Why:
        return await explain_article(session, sku)

    found = asyncio.run(in_retailer(retailer, act))
    if as_json:
        show_json(asdict(found))
        return
    for words in (found.last_told, *found.words):
        typer.echo(words)


@commands.command("rules")
@plainly
def rules(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """List which places serve each channel, and how much it may show."""

    async def act(session: Session) -> list[dict[str, Any]]:
        return [
            {
                "channel": each.channel,
                "article": each.sku or "all others",
                "pool": each.pool or "all places",
                "share": _plain(each.share_0_1),
                "safety": each.safety_units,
                "from": each.publish_from,
                "most": each.publish_most,
                "frozen until": each.frozen_until,
                "reason": each.reason,
                "by": each.changed_by,
            }
            for each in await list_rules(session)
        ]

    show_rows("Rules", asyncio.run(in_retailer(retailer, act)), as_json=as_json)


@commands.command("rule")
@plainly
def rule(  # noqa: PLR0913 - one option for each part of the rule
    retailer: RetailerName,
    channel: Annotated[str, typer.Argument(help="Name of the connection.")],
    *,
    sku: Annotated[str, typer.Option(help="Only for this article.")] = "",
    pool: Annotated[str, typer.Option(help="Places, a comma between; none: all places.")] = "",
    share: Annotated[str, typer.Option(help="Share of the pool, 0 to 1.")] = "1",
    safety: Annotated[int, typer.Option(min=0, help="Units kept back at each place.")] = 0,
    publish_from: Annotated[int, typer.Option(min=0, help="Less is shown as nothing.")] = 0,
    publish_most: Annotated[int | None, typer.Option(min=0, help="Never shows more.")] = None,
    location: Annotated[str, typer.Option(help="What the channel calls its location.")] = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Set what a channel may show; what there is stays as it is."""
    wanted = NewRule(
        pool=tuple(name.strip() for name in pool.split(",") if name.strip()),
        share_0_1=_decimal(share),
        safety_units=safety,
        publish_from=publish_from,
        publish_most=publish_most,
        location=location,
        reason=reason,
    )
    if not 0 <= wanted.share_0_1 <= 1:
        raise PlatformError("A share is between 0 and 1.", code="cli.choice_unknown")

    async def act(session: Session) -> dict[str, Any]:
        put = await put_rule(session, await find_connection(session, channel), sku, wanted)
        return asdict(put)

    show_rows("Rule", [asyncio.run(in_retailer(retailer, act))], as_json=as_json)


@commands.command("places")
@plainly
def places(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """List when each place was heard of last, and which are silent."""

    async def act(session: Session) -> list[dict[str, Any]]:
        return [asdict(each) for each in await list_places(session)]

    show_rows("Places", asyncio.run(in_retailer(retailer, act)), as_json=as_json)


@commands.command("place")
@plainly
def place(
    retailer: RetailerName,
    location: Annotated[str, typer.Argument(help="The place.")],
    *,
    heartbeat: Annotated[
        int | None, typer.Option(min=1, help="Seconds; silent after twice that. None: never.")
    ] = None,
    dark_keeps: Annotated[
        int | None, typer.Option(min=0, help="Units kept back while silent. None: all.")
    ] = None,
    only_channel: Annotated[str, typer.Option(help="The one connection that sells there.")] = "",
) -> None:
    """Say how a place is watched, and who sells what is there."""

    async def act(session: Session) -> None:
        only = await find_connection(session, only_channel) if only_channel else None
        await put_place(
            session,
            StockPlace(location, heartbeat_s=heartbeat, dark_keeps=dark_keeps, only_channel=only),
        )

    asyncio.run(in_retailer(retailer, act))


@commands.command("kit")
@plainly
def kit(
    retailer: RetailerName,
    sku: Article,
    parts: Annotated[
        list[str] | None, typer.Argument(help="SKU=QUANTITY each; none: show the kit.")
    ] = None,
    *,
    since: Annotated[
        datetime | None, typer.Option(help="From when on: 2026-11-20T12:00:00, UTC.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a kit is made of, or let it be made of these parts from a moment on."""
    wanted = dict(_part(each) for each in parts or ())
    at = since.replace(tzinfo=UTC) if since else clock.now()

    async def act(session: Session) -> list[dict[str, Any]]:
        tenant_id = cast("TenantScope", session.scope).tenant_id
        if wanted:
            await set_kit(session, tenant_id, sku, wanted, at)
        return [asdict(each) for each in await read_kit(session, tenant_id, sku)]

    show_rows(f"Kit {sku}", asyncio.run(in_retailer(retailer, act)), as_json=as_json)


@commands.command("unit")
@plainly
def unit(
    retailer: RetailerName,
    sku: Article,
    uom: Annotated[str, typer.Argument(help="The other unit, such as CS.")],
    factor: Annotated[str, typer.Argument(help="How much of the base unit it is: 12 or 1/1000.")],
    base: Annotated[str, typer.Argument(help="The unit in which the article is kept, such as EA.")],
) -> None:
    """Say how many base units of an article one other unit is, exactly."""
    try:
        exact = Fraction(factor)
    except (ValueError, ZeroDivisionError):
        raise PlatformError("Write a number or a fraction.", code="cli.choice_unknown") from None
    if exact <= 0:
        raise PlatformError("Write a number above 0.", code="cli.choice_unknown")

    async def act(session: Session) -> None:
        tenant_id = cast("TenantScope", session.scope).tenant_id
        await set_conversion(session, tenant_id, sku, uom, base, exact)

    asyncio.run(in_retailer(retailer, act))


commands.command("oversells")(oversells)
commands.command("resolve")(resolve)


def _part(text: str) -> tuple[str, Decimal]:
    sku, _, quantity = text.rpartition("=")
    amount = _decimal(quantity)
    if not sku or amount <= 0:
        raise PlatformError(f"{text} is not SKU=QUANTITY.", code="cli.choice_unknown")
    return sku, amount


def _decimal(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise PlatformError(f"{text} is no number.", code="cli.choice_unknown") from None
    if not found.is_finite():
        raise PlatformError(f"{text} is no number.", code="cli.choice_unknown")
    return found


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize() + 0:f}"
