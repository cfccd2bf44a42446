"""Give a held message a new body; the one before stays in the book under its own revision."""

from __future__ import annotations

import hashlib

from app.exceptions.claim import take_message
from app.exceptions.content import EditUnderWay, Replaced, WrongContent
from app.intake.incoming import body_context
from infra.ids import Id


async def edit_message(edit: EditUnderWay, body: bytes | None) -> Replaced:
    """Write the next revision of the body and let the message be read again."""
    if body is None:
        raise WrongContent("This message could not be read at all. Give its new `body`.")
    message = await take_message(edit.session, edit.scope, edit.hold)
    revision: int = message["revision"] + 1
    before, headers = await _body_before(edit, edit.hold.message_id)
    await _write_body(edit, revision, headers, body)
    await edit.session.execute(
        "update message set state = 'received', revision = $3, crash_count = 0, code = ''"
        " where tenant_id = $1 and id = $2",
        edit.scope.tenant_id,
        edit.hold.message_id,
        revision,
    )
    return Replaced(before, body, revision)


async def _body_before(edit: EditUnderWay, message_id: Id) -> tuple[bytes, str]:
    row = await edit.session.fetch_one(
        "select revision, headers::text, sealed, period from message_body"
        " where tenant_id = $1 and message_id = $2 order by revision desc limit 1",
        edit.scope.tenant_id,
        message_id,
    )
    if row is None:
        raise WrongContent("The body of this message is not here any more.")
    key = await edit.vault.of(edit.scope.tenant_id, row["period"], edit.session)
    return key.open(body_context(message_id, row["revision"]), row["sealed"]), row["headers"]


async def _write_body(edit: EditUnderWay, revision: int, headers: str, body: bytes) -> None:
    message_id = edit.hold.message_id
    await edit.session.execute(
        "insert into message_body (tenant_id, message_id, revision, headers, sealed, period,"
        " body_sha256, edited_by, edited_at) values ($1, $2, $3, $4::jsonb, $5, $6, $7, $8, now())",
        edit.scope.tenant_id,
        message_id,
        revision,
        headers,
        edit.key.seal(body_context(message_id, revision), body),
        edit.key.period,
        hashlib.sha256(body).digest(),
        edit.scope.actor,
    )
