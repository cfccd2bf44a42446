"""Idempotency-Key: the same key and request give the same answer, for 72 hours.

Source: IETF draft-ietf-httpapi-idempotency-key-header-07: other request under the key 422, still
running 409.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from infra import clock
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.errors import Conflict, PlatformError, Unprocessable

KEPT_FOR = timedelta(hours=72)
_KEY = re.compile(r"[!-~]{1,255}")

Answer = tuple[int, dict[str, Any]]


class KeyInvalid(PlatformError):
    """The key is not 1 to 255 visible ASCII characters."""

    status = 400
    code = "idempotency.key_invalid"

    def __init__(self) -> None:
        super().__init__("An Idempotency-Key is 1 to 255 visible characters.")


@dataclass(slots=True)
class Kept:
    """The answer under a key: None until this request has made one."""

    answer: Answer | None = None


class IdempotentAnswers:
    """Keeps answers by tenant and key; what they answer must itself be safe to repeat.

    A process that dies between effect and answer has kept nothing: the repeat runs again, and the
    events' own ids make that harmless.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._running: set[tuple[str, bytes]] = set()

    @asynccontextmanager
    async def of(
        self, tenant: TenantScope, route: str, key: str | None, body: bytes
    ) -> AsyncIterator[Kept]:
        """Give the kept answer, or keep the one that is made; without a key nothing is kept."""
        if key is None:
            yield Kept()
            return
        if not _KEY.fullmatch(key):
            raise KeyInvalid
        key_hash = hashlib.sha256(f"{route}|{key}".encode()).digest()
        fingerprint = hashlib.sha256(route.encode() + b"\n" + body).digest()
        place = (str(tenant.tenant_id), key_hash)
        if place in self._running:
            raise Conflict(
                "A request with this Idempotency-Key is still running.",
                code="idempotency.in_progress",
                retry_after_s=1,
            )
        self._running.add(place)
        try:
            kept = Kept(await self._find(tenant, key_hash, fingerprint))
            was_known = kept.answer is not None
            yield kept
            if not was_known and kept.answer is not None:
                await self._keep(tenant, key_hash, fingerprint, kept.answer)
        finally:
            self._running.discard(place)

    async def _find(
        self, tenant: TenantScope, key_hash: bytes, fingerprint: bytes
    ) -> Answer | None:
        async with begin(tenant, self._database) as session:
            row = await session.fetch_one(
                "select fingerprint, status, answer from idempotency_key"
                " where tenant_id = $1 and key_hash = $2 and created_at > $3",
                tenant.tenant_id,
                key_hash,
                clock.now() - KEPT_FOR,
            )
        if row is None:
            return None
        if row["fingerprint"] != fingerprint:
            raise Unprocessable(
                "This Idempotency-Key was used for another request.", code="idempotency.key_reused"
            )
        return row["status"], json.loads(row["answer"])

    async def _keep(
        self, tenant: TenantScope, key_hash: bytes, fingerprint: bytes, answer: Answer
    ) -> None:
        async with begin(tenant, self._database) as session:
            await session.execute(
                "insert into idempotency_key (tenant_id, key_hash, fingerprint, status, answer)"
                " values ($1, $2, $3, $4, $5::jsonb) on conflict (tenant_id, key_hash) do update"
                " set fingerprint = excluded.fingerprint, status = excluded.status,"
                " answer = excluded.answer, created_at = now()",
                tenant.tenant_id,
                key_hash,
                fingerprint,
                answer[0],
                json.dumps(answer[1]),
            )
