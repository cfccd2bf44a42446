"""The operator's desk: calls of the product's own API over HTTP, as a portal or a script makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from infra.egress.client import EgressClient, OutboundRequest
from infra.egress.errors import EgressFailure
from infra.errors import PlatformError

JsonObject = dict[str, Any]
Content = Mapping[str, object] | Sequence[str]
ANSWER_MAX_BYTES = 32 * 1024 * 1024
TIMEOUT_S = 60.0
_REFUSED_FROM = 400


@dataclass(frozen=True, slots=True)
class Desk:
    """One person's desk: a key, the retailer it looks at now, and the address of the API.

    Without `key` it is a stranger, as the owner of a connection is who follows a link.
    """

    egress: EgressClient
    url: str
    key: str = ""
    tenant_id: UUID | None = None

    def at(self, tenant_id: UUID) -> Desk:
        """Look at another retailer."""
        return Desk(self.egress, self.url, self.key, tenant_id)

    async def get(self, path: str) -> JsonObject:
        """Read something; raises PlatformError with the words of a refusal."""
        return await self._call("GET", path, None)

    async def is_up(self) -> bool:
        """Say whether the API answers at all."""
        try:
            await self.get("/livez")
        except (EgressFailure, PlatformError):
            return False
        return True

    async def post(self, path: str, content: Content | None = None) -> JsonObject:
        """Do something; raises PlatformError with the words of a refusal."""
        return await self._call("POST", path, content or {})

    async def _call(self, method: str, path: str, content: Content | None) -> JsonObject:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        if self.tenant_id is not None:
            headers["tenant-id"] = str(self.tenant_id)
        answer = await self.egress.request(
            OutboundRequest(
                method=method,
                url=path if path.startswith("http") else f"{self.url}{path}",
                headers=headers,
                body=b"" if content is None else json.dumps(content).encode(),
                timeout_s=TIMEOUT_S,
                max_body_bytes=ANSWER_MAX_BYTES,
            )
        )
        told: JsonObject = json.loads(answer.body) if answer.body else {}
        if answer.status >= _REFUSED_FROM:
            words = told.get("detail") or told.get("title") or f"HTTP {answer.status}"
            raise PlatformError(f"{method} {path}: {words}", code=told.get("code"))
        return told
