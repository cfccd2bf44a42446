"""The generic HTTP connector: reads signed JSON, pushes signed CloudEvents."""

from __future__ import annotations

from connectors.catalog.http.mapping import read_message
from connectors.catalog.http.push import push
from connectors.sdk.connector import Connector, Dispatch
from connectors.sdk.message import RawMessage, Reading
from connectors.sdk.outcome import Outcome, Rejected
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


CONNECTOR = HttpConnector
