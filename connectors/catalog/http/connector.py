"""The generic HTTP connector: reads signed JSON, pushes signed CloudEvents."""

from __future__ import annotations

from connectors.catalog.http.ask import ask, can_ask
from connectors.catalog.http.mapping import read_message
from connectors.catalog.http.push import push
from connectors.sdk.connector import Connector, Dispatch
from connectors.sdk.message import JsonObject, RawMessage, Reading
from connectors.sdk.outcome import LookUp, Outcome, Rejected
from connectors.sdk.transport import Transport


class HttpConnector(Connector):
    """Any system that speaks our canonical JSON, as source and as target."""

    def read(self, message: RawMessage) -> Reading:
        """Turn one webhook or API message into its canonical event."""
        return read_message(message)

    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        """Push one event; any other action is not ours."""
        if dispatch.action != "push":
            words = f'HTTP cannot do "{dispatch.action[:64]}". Correct the flow.'
            return Rejected("action.unknown", "", words)
        return await push(dispatch, transport)

    async def look_up(self, dispatch: Dispatch, transport: Transport) -> LookUp:
        """Ask for the record by its key, where the connection says at which path."""
        return await ask(dispatch, transport)

    def can_be_asked(self, settings: JsonObject) -> bool:
        """Say whether the connection names such a path."""
        return can_ask(settings)


CONNECTOR = HttpConnector
