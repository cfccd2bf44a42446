"""Our canonical objects as JSON Schema, for whoever sends to us or receives from us.

`python -m connectors.catalog.http.schemas` writes them anew after a change of the objects.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from connectors.canonical.event import BODIES

FOLDER = Path(__file__).parent / "contracts"


def schema_files() -> dict[str, bytes]:
    """Write one schema per object: file name -> JSON Schema 2020-12, decimals and times as text."""
    return {
        f"{contract.partition('/')[0]}.schema.json": _schema(body, contract)
        for body, contract in BODIES.values()
    }


def _schema(body: type, contract: str) -> bytes:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": contract}
    told = msgspec.json.encode(head | msgspec.json.schema(body), order="deterministic")
    return msgspec.json.format(told, indent=2) + b"\n"


def main() -> None:
    """Write the schema files into the contracts folder."""
    for name, content in schema_files().items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
