"""Tryton's REST interface in the few verbs the connector needs; trouble is raised as Stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.catalog.tryton.answers import check, unreadable
from connectors.catalog.tryton.encoding import decode, encode, token
from connectors.catalog.tryton.settings import Settings
from connectors.catalog.tryton.stopped import Stopped
from connectors.sdk.message import JsonObject
from connectors.sdk.outcome import RetryLater, Unknown
from connectors.sdk.transport import Answer, AnswerLost, Call, NotSent, Transport

Domain = Sequence[object]
Fields = Sequence[str]


class Tryton:
    """One company in one Tryton database."""

    def __init__(self, transport: Transport, settings: Settings) -> None:
        self.settings = settings
        self._transport = transport
        self.server_time: datetime | None = None

    async def search(
        self,
        model: str,
        domain: Domain,
        fields: Fields,
        *,
        limit: int = 100,
        context: Mapping[str, object] | None = None,
    ) -> list[JsonObject]:
        """Give the fields of the records that match, oldest first."""
        query = [("d", token(domain)), ("o", token([["id", "ASC"]])), ("s", str(limit))]
        call = self._call("GET", model, fields, query=query, context=context)
        answer = await self._sent(call, changes=False)
        rows = _content(answer, changes=False)
        if not isinstance(rows, list) or not all(map(_is_record, rows)):
            raise unreadable(answer, changes=False)
        return rows

    async def create(self, model: str, values: JsonObject, fields: Fields = ("id",)) -> JsonObject:
        """Create one record; Tryton does not run its on_change here: give prices and taxes."""
        return await self._record(self._call("POST", model, fields, values))

    async def write(
        self, model: str, row_id: int, values: JsonObject, fields: Fields
    ) -> JsonObject:
        """Change one record and give its fields afterwards."""
        return await self._record(self._call("PUT", f"{model}/{row_id}", fields, values))

    async def act(self, model: str, row_id: int, action: str, fields: Fields) -> JsonObject:
        """Press a button of one record and give its fields afterwards."""
        # An empty object is needed: without a body Tryton refuses the call.
        return await self._record(self._call("POST", f"{model}/{row_id}/{action}", fields, {}))

    async def delete(self, model: str, row_id: int) -> None:
        """Delete one record."""
        answer = await self._sent(self._call("DELETE", f"{model}/{row_id}", ()), changes=True)
        check(answer, changes=True)

    def _call(
        self,
        method: str,
        path: str,
        fields: Fields,
        body: JsonObject | None = None,
        *,
        query: Sequence[tuple[str, str]] = (),
        context: Mapping[str, object] | None = None,
    ) -> Call:
        headers = {
            "content-type": "application/json",
            "accept-language": "en",
            "x-tryton-context": token({"company": self.settings.company, **(context or {})}),
        }
        return Call(
            method,
            f"/{self.settings.database}/rest/model/{path}",
            (*query, *(("f", field) for field in fields)),
            headers,
            b"" if body is None else encode(body),
        )

    async def _record(self, call: Call) -> JsonObject:
        answer = await self._sent(call, changes=True)
        record = _content(answer, changes=True)
        if isinstance(record, dict) and not _is_record(record):
            raise unreadable(answer, changes=True)
        return record if isinstance(record, dict) else {}

    async def _sent(self, call: Call, *, changes: bool) -> Answer:
        try:
            answer = await self._transport.request(call)
        except NotSent as trouble:
            raise Stopped(RetryLater(trouble.code, trouble.words, trouble.after_s)) from trouble
        except AnswerLost as trouble:
            if changes:
                raise Stopped(Unknown(trouble.words)) from trouble
            raise Stopped(RetryLater("target.answer_lost", trouble.words)) from trouble
        self.server_time = _date(answer) or self.server_time
        return answer


def _content(answer: Answer, *, changes: bool) -> Any:
    check(answer, changes=changes)
    try:
        return decode(answer.body) if answer.body else None
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise unreadable(answer, changes=changes) from error


def _is_record(row: object) -> bool:
    """Say whether it is a record: Tryton puts the id into each, whatever fields were asked for."""
    # Source: trytond 8.2 protocols/rest.py `_get_fields`.
    return isinstance(row, dict) and "id" in row


def _date(answer: Answer) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
