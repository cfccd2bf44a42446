"""Settlement files as a source: reports that a marketplace offers to download or leaves in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from connectors.catalog.settlement_files.read import read_settlement
from connectors.catalog.settlement_files.split import TOPIC, split_settlements
from connectors.sdk.connector import Connector
from connectors.sdk.message import FileRecord, HoldRecord, JsonObject, RawMessage, Reading


class SettlementFiles(Connector):
    """Reads what a marketplace says it pays out; it is never a target."""

    def split(self, name: str, file: BinaryIO, settings: JsonObject) -> Iterator[FileRecord]:
        """Cut a file into settlements, streaming."""
        return split_settlements(name, file, settings)

    def read(self, message: RawMessage) -> Reading:
        """Turn one settlement report into a canonical settlement."""
        if message.topic != TOPIC:
            words = f'Settlement files hold settlements, not "{message.topic[:40]}".'
            raise HoldRecord("event.type_unknown", "/topic", words)
        return read_settlement(message)


CONNECTOR = SettlementFiles
