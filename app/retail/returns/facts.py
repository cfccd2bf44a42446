"""What can be told about a return: append-only facts, each with the key of whoever told it.

Facts may come in any order and any number of times; a till may tell of money and goods before
anybody has heard of the return. Nothing here names a person but `Decided.by`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from app.retail.returns.sale import Sale
from app.retail.returns.steps import StepId
from connectors.canonical.returns import Disposition, PayBack, Return

Book = Literal["erp", "suspense"]
Told = Literal["channel", "customer"]
NO_MONEY = Decimal(0)


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The retailer's terms for this return; amounts in its currency.

    `approve_above`: a refund of more than this is decided by a person; None: never asked.
    `fees` are taken off once: restocking, return label. `goodwill` was approved by a person.
    `asks_identity`: who brings goods without a receipt shows who they are.
    `points_per_money`: loyalty points that a known customer earned for each unit of the currency.
    """

    window_days: int = 30
    approve_above: Decimal | None = None
    refunds_shipping: bool = False
    restocking_fee: Decimal = NO_MONEY
    label_fee: Decimal = NO_MONEY
    goodwill: Decimal = NO_MONEY
    goods_wait_days: int = 3
    points_per_money: Decimal = NO_MONEY
    asks_identity: bool = False


class _Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    key: str
    at: datetime


class Opened(_Fact, frozen=True, kw_only=True, tag="opened"):
    """Somebody asked for the return, or it began by itself at a till or a channel.

    `is_derived`: we made it of a refund that was told first; what its source tells counts more.
    """

    request: Return
    policy: Policy = Policy()
    is_derived: bool = False


class TermsKnown(_Fact, frozen=True, kw_only=True, tag="terms_known"):
    """The retailer's terms as they stood when the return began."""

    policy: Policy


class SaleKnown(_Fact, frozen=True, kw_only=True, tag="sale_known"):
    """What was sold and paid; the latest telling counts."""

    sale: Sale


class SaleMissing(_Fact, frozen=True, kw_only=True, tag="sale_missing"):
    """The sale was looked for and is not known here, or not yet."""


class Authorised(_Fact, frozen=True, kw_only=True, tag="authorised"):
    """A return number was given out."""

    rma: str


class Received(_Fact, frozen=True, kw_only=True, tag="received"):
    """Goods arrived, by return line; `dismissed` came but is not what was announced.

    What two sources tell of one line are the same goods: the larger telling counts. `is_total`: a
    source tells all that came so far, and its latest telling counts. A line that is named `sku:...`
    is the first one of that article.
    """

    lines: dict[str, Decimal]
    dismissed: dict[str, Decimal] = {}
    location: str = ""
    source: str = ""
    is_total: bool = False


class Inspected(_Fact, frozen=True, kw_only=True, tag="inspected"):
    """Goods were judged; the same `inspection` judged again replaces what was said before.

    Of two sources that judged one line, the one that did last counts.
    """

    inspection: str
    line_id: str
    quantity: Decimal
    disposition: Disposition
    location: str
    source: str = ""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Goods of one line put to a place and state; a negative quantity takes them back from there."""

    line_id: str
    sku: str
    location: str
    state: str
    quantity: Decimal


class StockMoved(_Fact, frozen=True, kw_only=True, tag="stock_moved"):
    """Stock was moved; one `reference` is one movement, whoever tells it."""

    moves: tuple[Move, ...]
    reference: str


class Refunded(_Fact, frozen=True, kw_only=True, tag="refunded"):
    """Money went back; one `reference` is one refund, whoever tells it.

    `is_all`: whoever paid says that this settles the goods that came back.
    """

    paid: PayBack
    reference: str
    is_all: bool = False


class RefundRefused(_Fact, frozen=True, kw_only=True, tag="refund_refused"):
    """A tender does not take money back; `undoes` is the reference of a refund that failed later."""

    tender_id: str
    words: str
    undoes: str = ""


class Posted(_Fact, frozen=True, kw_only=True, tag="posted"):
    """Revenue, tax and goods value were reversed, by posting key; `clears` moves it out of suspense."""

    lines: dict[str, Decimal]
    reference: str
    book: Book = "erp"
    clears: bool = False


class PostingRefused(_Fact, frozen=True, kw_only=True, tag="posting_refused"):
    """The books do not take the reversal."""

    words: str
    book: Book = "erp"


class PointsReversed(_Fact, frozen=True, kw_only=True, tag="points_reversed"):
    """Loyalty points were taken back."""

    points: int
    reference: str


class PointsRefused(_Fact, frozen=True, kw_only=True, tag="points_refused"):
    """The points are spent already."""

    words: str


class HistoryTold(_Fact, frozen=True, kw_only=True, tag="history_told"):
    """The channel or the customer knows what went back in all; not `is_known`: it took no word of it."""

    to: Told
    refunded: Decimal
    is_known: bool = True


class LimitPassed(_Fact, frozen=True, kw_only=True, tag="limit_passed"):
    """A step was without word for longer than it may."""

    step: StepId


class Unserved(_Fact, frozen=True, kw_only=True, tag="unserved"):
    """Nobody is connected who does this piece of work; `command` is its key, `work` what it was."""

    command: str
    step: StepId
    part: str
    work: str
    words: str


class Decided(_Fact, frozen=True, kw_only=True, tag="decided"):
    """A person answered a question."""

    question: str
    subject: str
    choice: str
    by: str


Fact = (
    Opened | SaleKnown | Authorised | Received | Inspected | StockMoved | Refunded | RefundRefused
    | Posted | PostingRefused | PointsReversed | PointsRefused | HistoryTold | LimitPassed | Decided
    | TermsKnown | SaleMissing | Unserved
)  # fmt: skip

_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def encode_fact(fact: Fact) -> str:
    """Write a fact as JSON; decimals and moments stay exact."""
    return _ENCODER.encode(fact).decode()


def decode_fact(raw: str) -> Fact:
    """Read a fact that `encode_fact` wrote."""
    return _DECODER.decode(raw)


def kind_of(fact: Fact) -> str:
    """Name what a fact tells, as it is stored."""
    return str(type(fact).__struct_config__.tag)
