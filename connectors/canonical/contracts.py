"""All canonical objects with the version of their shape, and their shapes as JSON Schema.

`python -m connectors.canonical.contracts` writes what is new into docs/contracts. A version that was
written once is never written anew with another shape: events of that day are read by it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from connectors.canonical.compatibility import changes, needed_level, rises_enough
from connectors.canonical.customer import CustomerProfile
from connectors.canonical.event import BODIES
from connectors.canonical.inventory import Reservation
from connectors.canonical.location import Location
from connectors.canonical.loyalty import LoyaltyAccount
from connectors.canonical.purchase import (
    GoodsReceipt,
    PurchaseAcknowledgement,
    PurchaseOrder,
    ShipNotice,
    VendorInvoice,
)
from connectors.canonical.upcasters import STEPS, Steps, Version, parsed

FOLDER = Path(__file__).parents[2] / "docs" / "contracts"
_SUFFIX = ".schema.json"

# Objects that no event carries yet.
_FURTHER: tuple[tuple[type[msgspec.Struct], str], ...] = (
    (CustomerProfile, "customer/1.0.0"),
    (GoodsReceipt, "goods_receipt/1.0.0"),
    (Location, "location/1.0.0"),
    (LoyaltyAccount, "loyalty_account/1.0.0"),
    (PurchaseAcknowledgement, "purchase_acknowledgement/1.0.0"),
    (PurchaseOrder, "purchase_order/1.0.0"),
    (Reservation, "reservation/1.0.0"),
    (ShipNotice, "ship_notice/1.0.0"),
    (VendorInvoice, "vendor_invoice/1.0.0"),
)


@dataclass(frozen=True, slots=True)
class Contract:
    """The present shape of one object under its name and version."""

    name: str
    version: Version
    body: type[msgspec.Struct]

    @property
    def file_name(self) -> str:
        """Give the name of the file that holds its shape."""
        return file_name(self.name, self.version)

    def schema(self) -> dict[str, Any]:
        """Give the shape as JSON Schema 2020-12: amounts and moments are text."""
        written = f"{self.name}/{'.'.join(map(str, self.version))}"
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": written}
        # As it is read back: lists in place of tuples.
        told: dict[str, Any] = msgspec.json.decode(
            msgspec.json.encode(head | msgspec.json.schema(self.body))
        )
        return told


def _contracts() -> dict[str, Contract]:
    found: dict[str, Contract] = {}
    for body, written in (*BODIES.values(), *_FURTHER):
        name, version = parsed(written)
        found[name] = Contract(name, version, body)
    return dict(sorted(found.items()))


# Name of the object -> its contract.
CONTRACTS = _contracts()


def file_name(name: str, version: Version) -> str:
    """Give the file of one version of an object's shape."""
    return f"{name}-{'.'.join(map(str, version))}{_SUFFIX}"


def written_versions(folder: Path = FOLDER) -> dict[str, list[Version]]:
    """Give the versions of each object that were ever written, oldest first."""
    found: dict[str, list[Version]] = {}
    for path in folder.glob(f"*{_SUFFIX}"):
        name, _, version = path.name.removesuffix(_SUFFIX).rpartition("-")
        found.setdefault(name, []).append(parsed(f"{name}/{version}")[1])
    return {name: sorted(versions) for name, versions in sorted(found.items())}


def refusal(contract: Contract, folder: Path = FOLDER, steps: Steps = STEPS) -> str:
    """Say why a contract may not be published as it is, in words for its author; "" when it may."""
    versions = written_versions(folder).get(contract.name, [])
    if not versions:
        return ""
    last = versions[-1]
    old = msgspec.json.decode((folder / file_name(contract.name, last)).read_bytes())
    found = changes(old, contract.schema())
    if not rises_enough(last, contract.version, found):
        listed = ", ".join(f"{change.kind} at {change.pointer}" for change in found)
        return f"{contract.name}: {listed}. Raise its version by a {needed_level(found)} one."
    # Every new major version is led to by a step: stored events of the one before are read by it.
    led_to = {to[0] for name, to in steps if name == contract.name}
    missing = set(range(versions[0][0] + 1, contract.version[0] + 1)) - led_to
    if missing:
        return f"{contract.name}: no step in upcasters.STEPS leads to version {min(missing)}."
    return ""


def publish(contracts: Iterable[Contract], folder: Path = FOLDER) -> list[str]:
    """Write the shapes that may be published; gives the refusals, and writes nothing if there is any."""
    contracts = list(contracts)
    refused = [words for words in (refusal(each, folder) for each in contracts) if words]
    if not refused:
        for each in contracts:
            (folder / each.file_name).write_bytes(_formatted(each))
    return refused


def _formatted(contract: Contract) -> bytes:
    told = msgspec.json.encode(contract.schema(), order="deterministic")
    return msgspec.json.format(told, indent=2) + b"\n"


def main() -> int:
    """Publish all contracts; the exit code says whether that was allowed."""
    refused = publish(CONTRACTS.values())
    sys.stderr.writelines(f"{words}\n" for words in refused)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
