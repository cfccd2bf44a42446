"""What makes troubles one incident: the same connector, class of error, code and field."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from app.exceptions.incidents.rules import class_of, rules_of
from infra.ids import Id

_INDEX = re.compile(r"/(?:\d+|-)(?=/|$)")
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A kind of trouble at one connection: all records that share it are one incident.

    `code` and `pointer` are empty where the whole connection is the cause.
    """

    tenant_id: Id
    connection_id: Id
    connector: str
    error_class: str
    code: str = ""
    pointer: str = ""

    @property
    def fingerprint(self) -> bytes:
        """Give the cause as a digest, the same at every retailer."""
        return fingerprint(self.connector, self.error_class, self.code, self.pointer)


def trouble_of(
    tenant_id: Id, connection_id: Id, connector: str, error_class: str, code: str, pointer: str = ""
) -> Trouble:
    """Say which incident a failed record belongs to.

    Where the whole connection is the cause (no answer, access lost), its records are one incident for
    each class, whatever their codes.
    """
    known = class_of(error_class, code)
    if rules_of(known).is_whole_connection:
        return Trouble(tenant_id, connection_id, connector, known)
    return Trouble(tenant_id, connection_id, connector, known, code, normalised(pointer))


def fingerprint(connector: str, error_class: str, code: str, pointer: str) -> bytes:
    """Digest a cause (SHA-256); which line of an order it was makes no difference."""
    parts = (connector, error_class, code, normalised(pointer))
    return hashlib.sha256(_SEPARATOR.join(parts).encode()).digest()


def normalised(pointer: str) -> str:
    """Write a JSON pointer without its positions: `/lines/0/tax` is `/lines/*/tax`."""
    return _INDEX.sub("/*", pointer)
