"""Say what became of one record of a replay: pure rules over its deliveries' ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.sdk.outcome import Duplicate


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened, in the words of promises where one fits, and in plain words.

    Besides the promises: `held` again, `discarded` or `cancelled` by a person, `partly` when not all
    of the deliveries that were promised came about, `left_out` when nothing was done after all.
    """

    what: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """How a delivery ended: its state, the answer to its last attempt, and the target's references.

    `reference_before` is that of the delivery which this one repeats, empty where there is none.
    """

    state: str
    outcome: str | None = None
    code: str = ""
    words: str = ""
    reference: str = ""
    reference_before: str = ""


@dataclass(frozen=True, slots=True)
class MessageEnd:
    """How a message that was read anew ended: held again, skipped, or its deliveries one by one."""

    state: str
    fate: str
    code: str = ""
    words: str = ""
    deliveries: tuple[End, ...] = field(default_factory=tuple)


def happened_to(promised: str, end: End) -> Happened:
    """Name the end of a delivery beside what was promised for it."""
    if end.state != "delivered":
        return _not_delivered(end)
    if end.outcome == Duplicate.__name__:
        return Happened("no_op", "The target had it already and did nothing.")
    if promised != "no_op":
        return Happened("update" if promised == "update" else "create", _taken(end))
    if end.reference and end.reference_before and end.reference != end.reference_before:
        words = f"The target did it anew, as {end.reference}; before it was {end.reference_before}."
        return Happened("create", words)
    known = f" as {end.reference}, as before" if end.reference else ""
    return Happened("no_op", f"The target took the repeat under the same key{known}.")


def happened_to_message(promised: str, deliveries: int, end: MessageEnd) -> Happened:
    """Name the end of a message that was read anew."""
    found = _became(deliveries if promised == "create" else len(end.deliveries), end)
    if promised == "read_again" and found.what not in ("held", "discarded", "cancelled"):
        return Happened("read_again", found.words)
    return found


def _became(deliveries: int, end: MessageEnd) -> Happened:
    if end.state in ("held", "discarded", "cancelled"):
        return _not_delivered(End(end.state, code=end.code, words=end.words))
    if end.fate != "routed":
        return Happened("no_op", "Read anew, it said nothing that any flow wants.")
    ends = [happened_to("create", each) for each in end.deliveries]
    kinds = {each.what for each in ends}
    if "held" in kinds:
        return next(each for each in ends if each.what == "held")
    reached = [each for each in ends if each.what in ("create", "no_op")]
    if len(kinds) == 1 and "create" not in kinds:
        return ends[0]
    if len(reached) != deliveries:
        return Happened(
            "partly", f"{len(reached)} of {deliveries} deliveries reached their targets."
        )
    return Happened("create", f"{len(reached)} delivered.")


def _taken(end: End) -> str:
    return f"The target has it as {end.reference}." if end.reference else "The target has it."


def _not_delivered(end: End) -> Happened:
    if end.state == "held":
        return Happened("held", f"Held again ({end.code}): {end.words}")
    return _ENDED_OTHERWISE[end.state]


_ENDED_OTHERWISE = {
    "superseded": Happened("stale", "A newer state took its place; it was not sent."),
    "discarded": Happened("discarded", "A person gave it up."),
    "cancelled": Happened("cancelled", "It was cancelled."),
}
