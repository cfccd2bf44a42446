"""Tell a channel one value through its connector, or ask it whether it has one; always an outcome."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from decimal import Decimal

from app.connections.directory import BookedConnection
from app.retail.publishing.steps import Known
from connectors.canonical.event import STOCK_POSITION, Event
from connectors.canonical.money import Money
from connectors.canonical.stock import StockPosition
from connectors.registry import load, manifest
from connectors.sdk.connector import Dispatch
from connectors.sdk.outcome import LookUp, Outcome, Rejected, RetryLater, Unclear, Unknown
from connectors.sdk.transport import AnswerLost, NotSent, Transport
from infra.ids import Id

# Half of a lease: a call that began in time ends before anybody else may begin one.
CALL_DEADLINE_S = 5.0

TransportFor = Callable[[BookedConnection], Transport]


def stock_action(connector: str) -> str | None:
    """Name what a connector calls the telling of stock; None when its system takes none."""
    actions = manifest(connector).actions
    return next((each.name for each in actions if STOCK_POSITION in each.events), None)


def can_ask(booked: BookedConnection) -> bool:
    """Say whether the system can be asked what became of a call without answer."""
    return load(booked.config.connector).can_be_asked(booked.config.settings)


async def tell(booked: BookedConnection, known: Known, transport: Transport) -> Outcome:
    """Send what may be shown now; the key of its effect is channel, article and sequence."""
    dispatch = dispatch_of(booked, known, known.target, known.seq)
    try:
        async with asyncio.timeout(CALL_DEADLINE_S):
            return await load(booked.config.connector).send(dispatch, transport)
    except NotSent as fault:
        return RetryLater(fault.code, fault.words, fault.after_s)
    except (AnswerLost, TimeoutError) as fault:
        return Unknown(str(fault) or "The system did not answer in time.")
    except Exception as fault:  # noqa: BLE001 - a connector's fault is one article's trouble
        words = f"The connector failed on this article ({type(fault).__name__}). Others go on."
        return Rejected("connector.fault", "", words)


async def ask(booked: BookedConnection, known: Known, transport: Transport) -> LookUp:
    """Ask what became of the value whose answer was lost; what cannot be asked now is Unclear."""
    dispatch = dispatch_of(booked, known, known.open_value or 0, known.open_seq)
    try:
        async with asyncio.timeout(CALL_DEADLINE_S):
            return await load(booked.config.connector).look_up(dispatch, transport)
    except NotSent as fault:
        return Unclear(fault.words)
    except (AnswerLost, TimeoutError):
        return Unclear("The system did not answer in time.")
    except Exception as fault:  # noqa: BLE001 - a connector's fault is one article's trouble
        return Unclear(f"The connector failed on this question ({type(fault).__name__}).")


def dispatch_of(booked: BookedConnection, known: Known, value: int, seq: int) -> Dispatch:
    """Write one value as the event and dispatch that every connector of stock knows."""
    config = booked.config
    body = StockPosition(
        sku=known.sku,
        location=known.location,
        available=Decimal(value),
        as_of=known.target_at,
        previous=None if known.believed is None else Decimal(known.believed),
    )
    place = f"{known.location}/{known.sku}"
    event = Event(
        type=STOCK_POSITION,
        key=f"stock:{place}",
        object_id=place,
        version=str(seq),
        label=f"Stock of {known.sku}",
        occurred_at=known.occurred_at or known.target_at,
        amount=_exposed(known),
        body=body,
    )
    return Dispatch(
        action=stock_action(config.connector) or "",
        event=event,
        effect_key=effect_key(config.tenant_id, config.id, known.sku, seq),
        settings=config.settings,
        attempt=known.tries + 1,
    )


def effect_key(tenant_id: Id, connection_id: Id, sku: str, seq: int) -> str:
    """Name the effect of one value on one channel; the same for every repeat."""
    told = f"{tenant_id}|{connection_id}|{sku}|{seq}".encode()
    return hashlib.sha256(told).hexdigest()[:32]


def _exposed(known: Known) -> Money | None:
    if known.unit_price is None or known.currency is None:
        return None
    units = max(0, (known.believed or 0) - known.target)
    return Money(amount=known.unit_price * units, currency=known.currency)
