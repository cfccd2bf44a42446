"""Tryton's JSON-RPC as an administrator uses it; only to seed a local database."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any

from connectors.catalog.tryton.local.failure import LocalTrytonError

CALL_TIMEOUT_S = 120


class Rpc:
    """One administrator's session; calls are methods of models or wizards, by their full names."""

    def __init__(self, port: int, database: str, password: str) -> None:
        self._port = port
        self._database = database
        self._authorization = ""
        self.context: dict[str, Any] = {}
        user_id, session, *_ = self._post("common.db.login", ["admin", {"password": password}])
        self.user_id = int(user_id)
        token = base64.b64encode(f"admin:{user_id}:{session}".encode()).decode()
        self._authorization = f"Session {token}"

    def call(self, name: str, *arguments: Any) -> Any:
        """Call `model.<model>.<method>` or `wizard.<wizard>.<step>` under the session's context."""
        return self._post(name, [*arguments, self.context])

    def create(self, model: str, *values: dict[str, Any]) -> list[int]:
        """Create records in one transaction; gives their ids in order."""
        created: list[int] = self.call(f"model.{model}.create", list(values))
        return created

    def write(self, model: str, ids: Sequence[int], values: dict[str, Any]) -> None:
        """Change records."""
        self.call(f"model.{model}.write", list(ids), values)

    def find(self, model: str, *domain: Sequence[Any]) -> int:
        """Give the id of the first record that matches; there must be one."""
        ids = self.call(f"model.{model}.search", list(domain), 0, 1, [["id", "ASC"]])
        if not ids:
            raise LocalTrytonError(f"Tryton has no {model} with {list(domain)}; seeding stops.")
        return int(ids[0])

    def data_id(self, module: str, name: str) -> int:
        """Give the id of a record that one of Tryton's modules ships."""
        return int(self.call("model.ir.model.data.get_id", module, name))

    def _post(self, method: str, params: list[Any]) -> Any:
        body = json.dumps({"id": 0, "method": method, "params": params}, default=_encoded)
        headers = {"Content-Type": "application/json"}
        if self._authorization:
            headers["Authorization"] = self._authorization
        connection = HTTPConnection("127.0.0.1", self._port, timeout=CALL_TIMEOUT_S)
        try:
            connection.request("POST", f"/{self._database}/rpc/", body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:  # noqa: PLR2004 - HTTP
            raise LocalTrytonError(f"Tryton answered {answer.status} to {method}: {text[:300]!r}")
        parsed = json.loads(text)
        if "error" in parsed:
            raise LocalTrytonError(f"Tryton refused {method}: {str(parsed['error'])[:600]}")
        return parsed["result"]


def _encoded(value: object) -> dict[str, Any]:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    raise TypeError(f"{type(value).__name__} has no place in a call to Tryton")
