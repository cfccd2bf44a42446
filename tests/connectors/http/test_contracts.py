"""The schemas that others build against are those of our objects, and hold what we push."""

from __future__ import annotations

import jsonschema_rs
import msgspec
import pytest

from connectors.canonical.event import BODIES
from connectors.catalog.http.push import envelope
from connectors.catalog.http.schemas import FOLDER, schema_files
from connectors.lab.samples import sample
from connectors.sdk.connector import Dispatch


def test_schema_files_are_current() -> None:
    stored = {path.name: path.read_bytes() for path in FOLDER.glob("*.schema.json")}

    assert stored == schema_files()


@pytest.mark.parametrize("event_type", sorted(BODIES))
def test_what_we_push_keeps_its_schema(event_type: str) -> None:
    name = BODIES[event_type][1].partition("/")[0]
    schema = msgspec.json.decode((FOLDER / f"{name}.schema.json").read_bytes())

    pushed = msgspec.json.decode(envelope(Dispatch("push", sample(event_type), "k")))

    assert jsonschema_rs.Draft202012Validator(schema).is_valid(pushed["data"])
