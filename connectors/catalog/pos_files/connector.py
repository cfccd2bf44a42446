"""Till files as a source: POSLog XML and T-log CSV, dropped into a folder or by SFTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from connectors.catalog.pos_files.poslog_read import read_transaction
from connectors.catalog.pos_files.poslog_split import TOPIC as TRANSACTION
from connectors.catalog.pos_files.poslog_split import split_poslog
from connectors.catalog.pos_files.settings import POSLOG_NCR, TLOG_CSV, dialect_of
from connectors.catalog.pos_files.tlog_read import read_ticket
from connectors.catalog.pos_files.tlog_split import TOPIC as TICKET
from connectors.catalog.pos_files.tlog_split import split_tlog
from connectors.sdk.connector import Connector
from connectors.sdk.message import FileRecord, HoldRecord, JsonObject, RawMessage, Reading

_SPLITTERS: dict[str, Callable[[str, BinaryIO, JsonObject], Iterator[FileRecord]]] = {
    POSLOG_NCR: split_poslog,
    TLOG_CSV: split_tlog,
}
_READERS: dict[str, Callable[[RawMessage], Reading]] = {
    TRANSACTION: read_transaction,
    TICKET: read_ticket,
}


class PosFiles(Connector):
    """Reads what tills write at the end of a ticket or a day; it is never a target."""

    def split(self, name: str, file: BinaryIO, settings: JsonObject) -> Iterator[FileRecord]:
        """Cut a till file into tickets, streaming; the file must be seekable."""
        return _SPLITTERS[dialect_of(name, settings)](name, file, settings)

    def read(self, message: RawMessage) -> Reading:
        """Turn one ticket or transaction into a till sale."""
        reader = _READERS.get(message.topic)
        if reader is None:
            raise HoldRecord(
                "event.type_unknown",
                "/topic",
                f'Till files hold tickets and transactions, not "{message.topic[:40]}".',
            )
        return reader(message)


CONNECTOR = PosFiles
