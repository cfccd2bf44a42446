"""`PUT /v1/connections/{connection_id}/files/{name}`: a file of records, read while it streams."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import Field

from app.api.caller import Sender
from app.api.shapes import Answer, known_id
from app.intake.files import NAME_MAX, receive_file
from infra.errors import FieldError, Unprocessable

routes = APIRouter(tags=["files"])


class FileReceiptShape(Answer):
    """What became of a file, once all of its records are durable."""

    id: str
    records: int
    duplicates: int = Field(description="Records that were already known.")
    broken: int = Field(description="Records that cannot be read; each waits as an exception.")
    is_known: bool = Field(description="The very same file was taken before; nothing changed.")


@routes.put(
    "/v1/connections/{connection_id}/files/{name}",
    summary="Send a file",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        },
        "x-refusals": (429,),
    },
)
async def put_file(
    caller: Sender, connection_id: str, name: str, request: Request
) -> FileReceiptShape:
    """Take a file of up to 50 MB; sending it again, whole or cut off, changes nothing twice."""
    known = known_id(connection_id)
    _check_name(name)
    receipt = await receive_file(caller.scope, caller.parts.files, known, name, request.stream())
    return FileReceiptShape(
        id=str(receipt.file_id),
        records=receipt.records,
        duplicates=receipt.duplicates,
        broken=receipt.broken,
        is_known=receipt.is_known,
    )


def _check_name(name: str) -> None:
    if 1 <= len(name) <= NAME_MAX and name.isprintable():
        return
    words = f"A file's name has 1 to {NAME_MAX} printable characters."
    raise Unprocessable(
        words, code="file.name", errors=(FieldError("/path/name", "file.name", words),)
    )
