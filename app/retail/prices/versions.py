"""Versions of a price: which of several tellings counts, whatever order they came in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from connectors.canonical.price import Price
from connectors.canonical.product import Product
from connectors.canonical.promotion import Promotion
from infra.ids import Id

Subject = Price | Promotion | Product
_ENCODER = msgspec.json.Encoder(decimal_format="string")

Standing = tuple[datetime, int, str, bytes]


@dataclass(frozen=True, slots=True)
class PriceVersion:
    """One telling of a price; `withdrawn_at` is when a person ended it everywhere (UTC)."""

    id: Id
    price: Price
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """What decides between tellings of one object; `told_at` is the source's own time (UTC)."""

    id: Id
    told_at: datetime
    version: str
    content_hash: bytes


def content_of(body: Subject) -> bytes:
    """Write an object as JSON; decimals become strings, exactly."""
    return _ENCODER.encode(body)


def hash_of(content: bytes) -> bytes:
    """Tell contents apart."""
    return hashlib.sha256(content).digest()


def newest(tellings: Iterable[Telling]) -> Telling:
    """Give the telling that counts: told last, then the greater version, then by content."""
    return max(tellings, key=_standing)


def _standing(telling: Telling) -> Standing:
    version = telling.version
    is_number = version.isascii() and version.isdecimal()
    return telling.told_at, int(version) if is_number else -1, version, telling.content_hash
