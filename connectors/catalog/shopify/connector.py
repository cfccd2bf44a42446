"""The Shopify connector: reads webhooks, sets stock."""

from __future__ import annotations

from datetime import datetime

from connectors.catalog.shopify.admin_api import budget_of
from connectors.catalog.shopify.fetch_order import fetch_history, fetch_order
from connectors.catalog.shopify.list_orders import list_orders
from connectors.catalog.shopify.mapping_in import read_message
from connectors.catalog.shopify.set_stock import set_stock
from connectors.sdk.budget import BudgetReport
from connectors.sdk.connector import Connector, Dispatch
from connectors.sdk.message import JsonObject, OrderPage, PolledRecord, RawMessage, Reading
from connectors.sdk.outcome import Outcome, Rejected
from connectors.sdk.transport import Answer, Call, Transport


class ShopifyConnector(Connector):
    """A Shopify shop as source of orders and target of stock."""

    def read(self, message: RawMessage) -> Reading:
        """Turn one webhook into its canonical event."""
        return read_message(message)

    async def fetch(
        self, reference: str, settings: JsonObject, transport: Transport
    ) -> tuple[PolledRecord, ...]:
        """Ask for one order by its id or its name, as its lost webhook would have told it."""
        return await fetch_order(reference, transport)

    async def fetch_history(
        self, reference: str, settings: JsonObject, transport: Transport
    ) -> tuple[PolledRecord, ...]:
        """Ask for one order as all its lost webhooks would have told it."""
        return await fetch_history(reference, transport)

    async def list_orders(
        self,
        since: datetime,
        until: datetime,
        page: str,
        settings: JsonObject,
        transport: Transport,
    ) -> OrderPage:
        """List orders by when they changed last."""
        return await list_orders(since, until, page, transport)

    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        """Set the stock of one SKU; any other action is not ours."""
        if dispatch.action != "set_stock":
            words = f'Shopify cannot do "{dispatch.action[:64]}". Correct the flow.'
            return Rejected("action.unknown", "", words)
        return await set_stock(dispatch, transport)

    def budget_of(self, answer: Answer, call: Call) -> BudgetReport | None:
        """Read the points that are left from an answer of the Admin API."""
        return budget_of(answer, call)


CONNECTOR = ShopifyConnector
