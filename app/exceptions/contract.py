"""Check an edited event: still the same fact about the same object, and within its contract."""

from __future__ import annotations

import json
from typing import Any

from app.flows.contract import Broken, changed_identity, within_contract
from connectors.canonical.event import Event
from infra.errors import FieldError, Unprocessable


def edited_event(stored: bytes, edited: dict[str, Any]) -> Event:
    """Read an edited event (`head` and `body`, as the API shows it); raises Unprocessable.

    Takes: `stored`, the event before as `connectors.canonical.event.encode` wrote it; `edited`,
           numbers as int or Decimal.
    """
    broken = changed_identity(json.loads(stored)["head"], edited.get("head"))
    if broken is not None:
        raise _refusal(broken)
    event = within_contract(edited)
    if isinstance(event, Broken):
        raise _refusal(event)
    return event


def _refusal(broken: Broken) -> Unprocessable:
    error = FieldError(f"/event{broken.pointer}", broken.code, broken.words)
    return Unprocessable(broken.words, code=broken.code, errors=(error,))
