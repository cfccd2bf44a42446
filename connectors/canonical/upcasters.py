"""Old bodies read as the newest: a step for each change that is more than an addition.

Events are stored for good in the shape of their day. What only added optional fields needs no step:
a field that is not there has its default. A step leads to one version, from every version since the
step before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Fields = dict[str, Any]
Version = tuple[int, int, int]
Step = Callable[[Fields], Fields]
# (object, the version that the step leads to) -> the step.
Steps = Mapping[tuple[str, Version], Step]

STEPS: Steps = {}
# What bodies were written under before their contract stood beside them.
FIRST = "1.0.0"
_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}", re.ASCII)


class UnreadableContract(msgspec.ValidationError):
    """A body of a contract that no step leads on from, or of a later release than this one."""


def parsed(contract: str) -> tuple[str, Version]:
    """Take `order/1.4.0` apart; raises UnreadableContract for anything else."""
    name, _, version = contract.partition("/")
    if not name or not _VERSION.fullmatch(version):
        raise UnreadableContract("This is no contract; one is written as order/1.0.0")
    major, minor, patch = map(int, version.split("."))
    return name, (major, minor, patch)


def brought_up(fields: Fields, written: str, current: str, steps: Steps = STEPS) -> Fields:
    """Give the fields of a body as the current contract has them; the given ones are not changed.

    Takes:  JSON as it was stored, amounts and moments as text.
    Rules:  a later minor version is read as it is, without what this release does not know of.
    Raises: UnreadableContract.
    """
    name, version = parsed(written)
    current_name, wanted = parsed(current)
    leading = sorted(to for of, to in steps if of == name and version < to <= wanted)
    for to in leading:
        fields, version = steps[name, to](dict(fields)), to
    if name != current_name or version[0] != wanted[0]:
        raise UnreadableContract(f"{written} cannot be read as {current}")
    return fields


def body_brought_up(body: bytes, written: str, current: str) -> bytes:
    """Do the same for a body as it is stored."""
    fields = msgspec.json.decode(body)
    if not isinstance(fields, dict):
        raise UnreadableContract(f"{written} is an object")
    return msgspec.json.encode(brought_up(fields, written, current))
