"""The shape of a connector: what one folder of the catalogue offers to the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from connectors.canonical.event import Event
from connectors.sdk.budget import BudgetReport, report_in
from connectors.sdk.manifest import Manifest
from connectors.sdk.message import (
    FileRecord,
    JsonObject,
    OrderPage,
    Page,
    PolledRecord,
    RawMessage,
    Reading,
)
from connectors.sdk.outcome import LookUp, Outcome, Unclear
from connectors.sdk.transport import Answer, Call, Transport


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One delivery on its way: what to do with which event, and the key of its effect.

    `effect_key` is stable over every repeat of this delivery; a target with native keys gets it as
    idempotency key, one with external references as its reference. `trace_parent` is the W3C trace
    context to hand on.
    """

    action: str
    event: Event
    effect_key: str
    settings: JsonObject = field(default_factory=dict)
    attempt: int = 1
    trace_parent: str = ""


class Connector:
    """A system that tills, shops or ledgers run; subclasses override what their manifest declares.

    Reading is pure: no clock, no network, no order between messages. Sending gives an outcome, never
    an exception. Nothing here keeps state between calls.
    """

    manifest: Manifest

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    def read(self, message: RawMessage) -> Reading:
        """Turn one raw message into canonical events; raises HoldRecord for this record alone."""
        raise NotImplementedError(f"{self.manifest.name} is not a source")

    def split(self, name: str, file: BinaryIO, settings: JsonObject) -> Iterator[FileRecord]:
        """Cut a file into records, streaming; raises HoldRecord when no record can be trusted."""
        raise NotImplementedError(f"{self.manifest.name} reads no files")

    async def poll(
        self, stream: str, cursor: JsonObject, settings: JsonObject, transport: Transport
    ) -> Page:
        """Ask the source for what changed since the cursor ({} at first); safe to repeat."""
        raise NotImplementedError(f"{self.manifest.name} is not polled")

    async def fetch(
        self, reference: str, settings: JsonObject, transport: Transport
    ) -> tuple[PolledRecord, ...]:
        """Ask the source for one object by its own id; nothing when it has none; safe to repeat.

        `reference` is what a target named in NotYet. The record reads as the webhook that was lost
        would have: same type, object and version. Raises NotSent or AnswerLost.
        """
        raise NotImplementedError(f"{self.manifest.name} cannot be asked for one object")

    async def list_orders(
        self,
        since: datetime,
        until: datetime,
        page: str,
        settings: JsonObject,
        transport: Transport,
    ) -> OrderPage:
        """List the orders that were placed or changed from `since` to before `until` (UTC).

        `page` is empty at first, then the `next_page` of the page before. Safe to repeat. Raises
        NotSent or AnswerLost.
        """
        raise NotImplementedError(f"{self.manifest.name} does not list its orders")

    @property
    def can_list_orders(self) -> bool:
        """Say whether the source can be asked for a list of its orders."""
        return type(self).list_orders is not Connector.list_orders

    async def fetch_history(
        self, reference: str, settings: JsonObject, transport: Transport
    ) -> tuple[PolledRecord, ...]:
        """Ask for one order and what became of it: placed, then changed or cancelled, as if told.

        Safe to repeat. Raises NotSent or AnswerLost.
        """
        return await self.fetch(reference, settings, transport)

    @property
    def can_fetch(self) -> bool:
        """Say whether the source can be asked for one object."""
        return type(self).fetch is not Connector.fetch

    def can_be_asked(self, settings: JsonObject) -> bool:
        """Say whether a target that is set up like this can be asked whether an effect is there."""
        return self.can_look_up

    @property
    def can_look_up(self) -> bool:
        """Say whether the target can be asked whether an effect is there."""
        return type(self).look_up is not Connector.look_up

    async def send(self, dispatch: Dispatch, transport: Transport) -> Outcome:
        """Bring one event to the system; every answer is an outcome."""
        raise NotImplementedError(f"{self.manifest.name} is not a target")

    def budget_of(self, answer: Answer, call: Call) -> BudgetReport | None:
        """Say what an answer tells about the vendor's limits; pure, asked after every call.

        As it stands it reads the header fields that vendors share; override it for limits in bodies.
        """
        return report_in(answer.headers)

    async def look_up(self, dispatch: Dispatch, transport: Transport) -> LookUp:
        """Ask the system whether the effect of this delivery is already there."""
        return Unclear("This system cannot be asked.")
