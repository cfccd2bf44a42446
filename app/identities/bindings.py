"""Bindings: the name of an object in one system, tied to our id, from one moment until another.

A rename, a merge and a split never change what was: they end bindings and begin others. So an event
finds its object by the name and the moment at which it happened, however late it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from infra.errors import Conflict
from infra.ids import Id

Kind = Literal[
    "product", "variant", "listing", "customer", "location", "order", "vendor", "loyalty_account"
]

# Of a name that always meant the same, as far as anybody knows.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """What a connection calls an object: text, compared letter by letter (`0007` is not `7`).

    Two shops are two connections, so the order number of one never names an order of the other.
    """

    connection_id: Id
    kind: Kind
    external_id: str


@dataclass(frozen=True, slots=True)
class Binding:
    """A name that means an object from `valid_from` until just before `valid_to` (None: still)."""

    name: Name
    identity_id: Id
    valid_from: datetime
    valid_to: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Say whether the name means the object at a moment."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def is_free_from(self, at: datetime) -> bool:
        """Say whether the name is not in use at a moment, nor after it."""
        return self.valid_to is not None and self.valid_to <= at


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write: bindings that end, each with its end, and bindings that begin."""

    ends: tuple[tuple[Binding, datetime], ...] = ()
    begins: tuple[Binding, ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is anything to write."""
        return bool(self.ends or self.begins)


NOTHING = Plan()


def resolve(bindings: Iterable[Binding], name: Name, at: datetime) -> Id | None:
    """Give the object that a name meant at a moment; None when it meant none."""
    return next(
        (each.identity_id for each in bindings if each.name == name and each.holds(at)), None
    )


def names_of(bindings: Iterable[Binding], identity_id: Id, at: datetime) -> list[Name]:
    """Give the names that an object has at a moment, in all systems."""
    return sorted(
        each.name for each in bindings if each.identity_id == identity_id and each.holds(at)
    )


def bind(bindings: Sequence[Binding], name: Name, identity_id: Id, since: datetime) -> Plan:
    """Plan that a name means an object from a moment on; nothing when it does already.

    Raises Conflict for a name that has a meaning then or later: that binding has to be ended first,
    with its date, so that what was sold under the name before stays what it was.
    """
    if any(_means(each, name, identity_id, since) for each in bindings):
        return NOTHING
    _require_free(bindings, name, since)
    return Plan(begins=(Binding(name, identity_id, since),))


def end(bindings: Sequence[Binding], name: Name, at: datetime) -> Plan:
    """Plan that a name means nothing from a moment on; raises Conflict when it meant nothing."""
    return Plan(ends=((_open_binding(bindings, name, at), at),))


def rename(bindings: Sequence[Binding], old: Name, new: Name, at: datetime) -> Plan:
    """Plan that an object is called otherwise from a moment on; nothing when it is already.

    Raises Conflict when the old name means nothing then, or the new one is in use.
    """
    if (old.connection_id, old.kind) != (new.connection_id, new.kind):
        raise Conflict(
            "An object is renamed within one system and kind.", code="identity.not_bound"
        )
    if old == new or _was_renamed(bindings, old, new, at):
        return NOTHING
    before = _open_binding(bindings, old, at)
    _require_free(bindings, new, at)
    return Plan(ends=((before, at),), begins=(Binding(new, before.identity_id, at),))


def merge(bindings: Iterable[Binding], loser: Id, winner: Id, at: datetime) -> Plan:
    """Plan that all names of one object mean another from a moment on."""
    open_ones = [each for each in bindings if each.identity_id == loser and each.valid_to is None]
    # A name that begins later begins with the other object.
    since = [max(at, each.valid_from) for each in open_ones]
    return Plan(
        ends=tuple(zip(open_ones, since, strict=True)),
        begins=tuple(
            Binding(each.name, winner, moment)
            for each, moment in zip(open_ones, since, strict=True)
        ),
    )


def split(
    bindings: Sequence[Binding], identity_id: Id, names: Iterable[Name], new_id: Id, at: datetime
) -> Plan:
    """Plan that some names of an object mean a new one from a moment on; what was before stays.

    Raises Conflict when a name does not mean the object then, or no name would remain.
    """
    moving = [_open_binding(bindings, name, at) for name in sorted(set(names))]
    if any(each.identity_id != identity_id for each in moving):
        raise Conflict("One of these names means another object.", code="identity.not_bound")
    left = {each.name for each in bindings if each.identity_id == identity_id and not each.valid_to}
    if not moving or left == {each.name for each in moving}:
        words = "Of two objects each needs a name. Choose some of the names, not all and not none."
        raise Conflict(words, code="identity.not_bound")
    return Plan(
        ends=tuple((each, at) for each in moving),
        begins=tuple(Binding(each.name, new_id, at) for each in moving),
    )


def _open_binding(bindings: Iterable[Binding], name: Name, at: datetime) -> Binding:
    for each in bindings:
        if each.name == name and each.valid_to is None and each.valid_from <= at:
            return each
    words = f"{name.external_id} means nothing at that moment, so there is nothing to change."
    raise Conflict(words, code="identity.not_bound")


def _require_free(bindings: Iterable[Binding], name: Name, at: datetime) -> None:
    if any(each.name == name and not each.is_free_from(at) for each in bindings):
        words = (
            f"{name.external_id} has a meaning then or later already. End that binding first, with the"
            " date from which it is wrong."
        )
        raise Conflict(words, code="identity.bound_elsewhere")


def _means(binding: Binding, name: Name, identity_id: Id, since: datetime) -> bool:
    """Say whether a binding lets the name mean the object from then on until now."""
    is_theirs = (binding.name, binding.identity_id) == (name, identity_id)
    return is_theirs and binding.valid_to is None and binding.valid_from <= since


def _was_renamed(bindings: Sequence[Binding], old: Name, new: Name, at: datetime) -> bool:
    ended = {each.identity_id for each in bindings if each.name == old and each.valid_to == at}
    begun = {each.identity_id for each in bindings if each.name == new and each.valid_from == at}
    return bool(ended & begun)
