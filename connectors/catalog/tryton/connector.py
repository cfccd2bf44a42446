"""Tryton as a target for orders, till sales and cancellations, and as a source of stock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import ValidationError

from connectors.canonical.order import Order
from connectors.catalog.tryton.api import Tryton
from connectors.catalog.tryton.cancellations import cancel_order, cancelled_reference
from connectors.catalog.tryton.orders import booked_reference, create_order
from connectors.catalog.tryton.settings import Settings, read_settings
from connectors.catalog.tryton.stock import poll_stock, read_stock
from connectors.catalog.tryton.stopped import Stopped
from connectors.catalog.tryton.tickets import create_ticket, posted_reference
from connectors.sdk.connector import Connector, Dispatch
from connectors.sdk.message import JsonObject, Page, RawMessage, Reading
from connectors.sdk.outcome import Found, LookUp, Missing, Outcome, Rejected, Unclear
from connectors.sdk.transport import NotSent, Transport

Act = Callable[[Tryton, Order], Awaitable[Outcome]]
Ask = Callable[[Tryton, Order], Awaitable[str | None]]

# Per action: how it is done, and how to see whether it is done completely.
_ACTIONS: dict[str, tuple[Act, Ask]] = {
    "create_order": (create_order, booked_reference),
    "create_ticket": (create_ticket, posted_reference),
    "cancel_order": (cancel_order, cancelled_reference),
}


class TrytonConnector(Connector):
    """Every action looks first and starts from what is there, so that any attempt may be repeated."""

    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        """Bring one event to Tryton; every answer is an outcome."""
        act, _ = _ACTIONS[dispatch.action]
        settings = _settings(dispatch.settings)
        if isinstance(settings, Rejected):
            return settings
        try:
            return await act(Tryton(transport, settings), _order(dispatch))
        except Stopped as stopped:
            return stopped.outcome

    async def look_up(self, dispatch: Dispatch, transport: Transport) -> LookUp:
        """Find the document of this delivery; one that is not finished counts as missing."""
        _, ask = _ACTIONS[dispatch.action]
        settings = _settings(dispatch.settings)
        if isinstance(settings, Rejected):
            return Unclear(settings.words)
        try:
            reference = await ask(Tryton(transport, settings), _order(dispatch))
        except Stopped:
            return Unclear("Tryton could not be asked now.")
        return Missing() if reference is None else Found(reference)

    async def poll(
        self, stream: str, cursor: JsonObject, settings: JsonObject, transport: Transport
    ) -> Page:
        """Ask for the stock of what moved since the cursor; of everything at first.

        Raises NotSent when it cannot be asked now; the cursor stays good.
        """
        checked = _settings(settings)
        if isinstance(checked, Rejected):
            raise NotSent(checked.code, checked.words)
        return await poll_stock(Tryton(transport, checked), cursor)

    def read(self, message: RawMessage) -> Reading:
        """Turn one polled stock record into a stock position."""
        return read_stock(message)


CONNECTOR = TrytonConnector


def _settings(settings: JsonObject) -> Settings | Rejected:
    try:
        return read_settings(settings)
    except ValidationError as error:
        first = error.errors()[0]
        name = "/".join(str(step) for step in first["loc"])
        words = f"The connection's setting {name} is not usable: {first['msg']}. Correct it."
        return Rejected("settings.invalid", f"/settings/{name}", words)


def _order(dispatch: Dispatch) -> Order:
    body = dispatch.event.body
    if not isinstance(body, Order):
        words = f"{dispatch.event.label} carries no order; Tryton cannot book it."
        raise Stopped(Rejected("event.no_order", "", words))
    return body
