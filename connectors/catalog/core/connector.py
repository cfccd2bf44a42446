"""Reads what the retail core says: canonical events, exactly as they were written."""

from __future__ import annotations

import msgspec

from connectors.canonical.event import decode
from connectors.sdk.connector import Connector
from connectors.sdk.message import HoldRecord, RawMessage, Reading


class CoreConnector(Connector):
    """The retailer's own retail core: a source only."""

    def read(self, message: RawMessage) -> Reading:
        """Read one event back; one that a person edited must still be of its contract."""
        try:
            return Reading(events=(decode(message.body),))
        except (msgspec.MsgspecError, KeyError, ValueError) as fault:
            words = "This record does not follow its contract any more. Edit it again."
            raise HoldRecord("contract.malformed", "", words) from fault


CONNECTOR = CoreConnector
