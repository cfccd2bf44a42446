"""What a target answered, as a value; the engine decides what happens next from a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivered:
    """The target has it; `reference` is the target's own id or number."""

    reference: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The target already had it; nothing was done twice."""

    reference: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class RetryLater:
    """A passing trouble: nothing was done; `after_s` is the target's own wish, if it said one."""

    code: str
    words: str
    after_s: float | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The target will never take this record as it is; `pointer` names the field."""

    code: str
    pointer: str
    words: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class NotYet:
    """Something must come first (the order before its refund); waits without burning its schedule.

    `missing` is the id that the source of the record uses for what must come first (`parent_of` in
    connectors/canonical/parent.py gives it); the source is asked for it under this id. It is empty
    when the target cannot tell: then the record only waits.
    """

    missing: str
    words: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationLost:
    """The credential no longer opens the target; the whole connection waits for its owner."""

    words: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left, the answer did not come: the target may or may not have acted."""

    words: str
    status: int | None = None


Outcome = Delivered | Duplicate | RetryLater | Rejected | NotYet | AuthorizationLost | Unknown


@dataclass(frozen=True, slots=True)
class Found:
    """A look-up found the effect at the target."""

    reference: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A look-up is sure that the effect is not there."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """A look-up could not tell; it is asked again later."""

    words: str


LookUp = Found | Missing | Unclear
