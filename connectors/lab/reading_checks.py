"""Checks on reading: fixtures become what they say, nothing depends on anything else, junk is held."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from connectors.canonical.event import decode, encode
from connectors.lab.cases import RECEIVED_AT, Case
from connectors.lab.findings import DoesNotApply, Finding, verdict
from connectors.lab.subject import Subject
from connectors.sdk.message import HoldRecord, RawMessage, Reading

# Bodies that no reader may take for a record (reliability catalogue, 2.1 and 2.4).
JUNK = (
    b"", b" ", b"\x00\xff\xfe", b"null", b"[]", b"{", b'"text"', b"{}", b"[" * 5_000,
    b'{"id":1e999}', b'{"id":"\\ud800"}', b'{"id":NaN}', b"<a>", b"\xef\xbb\xbf{}", b"a,b\n1",
)  # fmt: skip
_OPENING = (b"{", b"[", b"<")
UNKNOWN_TOPIC = "lab/never_heard_of"
_CODE = re.compile(r"[a-z_0-9]+\.[a-z_0-9]+", re.ASCII)
_SHOWN_CHARACTERS = 80

_Read = Reading | HoldRecord


def fixtures_read_as_told(subject: Subject) -> Finding:
    """Each fixture becomes the events, the hold or the reason for skipping that it names."""
    return _over_cases(subject, lambda case: _case_fault(subject, case))


def reading_is_pure(subject: Subject) -> Finding:
    """The same message twice gives the same events."""
    return _over_cases(subject, lambda case: _purity_fault(subject, case))


def events_survive_storage(subject: Subject) -> Finding:
    """Events can be written and read back, are declared in the manifest, and carry key and label."""
    return _over_cases(subject, lambda case: _storage_fault(subject, case))


def cut_bodies_are_held(subject: Subject) -> Finding:
    """Half a body is held, where the body itself says where it ends (JSON, XML).

    A row of text does not: there the count of columns and the end of the file have to tell, which
    is the business of the connector's own tests.
    """
    closed = [case.message for case in subject.cases if case.message.body[:1] in _OPENING]
    if not closed:
        return DoesNotApply("no fixture has a body that says where it ends")
    halves = (replace(each, body=each.body[: len(each.body) // 2]) for each in closed)
    return verdict(fault for half in halves for fault in _present(_held_fault(subject, half)))


def unknown_topics_are_held(subject: Subject) -> Finding:
    """A kind of message that nobody planned for is held, not taken for another."""
    if not subject.manifest.receives:
        return DoesNotApply("it is no source")
    return verdict(_present(_held_fault(subject, _raw(UNKNOWN_TOPIC, b"{}"))))


def junk_is_held(subject: Subject) -> Finding:
    """Empty and garbled bodies are held with a reason, under every topic we know of."""
    if not subject.manifest.receives:
        return DoesNotApply("it is no source")
    known = {case.message.topic: case.message for case in subject.cases}
    messages = list(known.values()) or [_raw("", b"")]
    return verdict(
        fault
        for message in messages
        for body in JUNK
        for fault in _present(_held_fault(subject, replace(message, body=body)))
    )


def _over_cases(subject: Subject, fault: Callable[[Case], str | None]) -> Finding:
    if not subject.cases:
        return DoesNotApply("it has no fixtures")
    found = ((case, fault(case)) for case in subject.cases)
    return verdict(f"{case.name}: {told}" for case, told in found if told)


def _case_fault(subject: Subject, case: Case) -> str | None:
    read = _read(subject, case.message)
    if isinstance(read, HoldRecord):
        told: dict[str, object] = {"hold": read.code}
    elif read.skipped is not None:
        told = {"skipped": read.skipped}
    else:
        told = {"types": [event.type for event in read.events]}
    if not case.expect:
        return "it says nothing and gives no reason" if told == {"types": []} else None
    return None if told == case.expect else f"expected {case.expect}, got {told}"


def _purity_fault(subject: Subject, case: Case) -> str | None:
    first, second = _read(subject, case.message), _read(subject, case.message)
    return None if _comparable(first) == _comparable(second) else "read twice, it differs"


def _storage_fault(subject: Subject, case: Case) -> str | None:
    read = _read(subject, case.message)
    if isinstance(read, HoldRecord):
        return None
    manifest = subject.manifest
    declared = set(manifest.reads) | {type_ for each in manifest.streams for type_ in each.events}
    for event in read.events:
        if decode(encode(event)) != event:
            return "an event changes when it is stored"
        if not (event.key and event.label and event.object_id):
            return "an event has no key, label or object id"
        if event.type not in declared:
            return f"{event.type} is not declared in the manifest"
    return None


def _held_fault(subject: Subject, message: RawMessage) -> str | None:
    shown = f"topic {message.topic!r}, body {message.body[:_SHOWN_CHARACTERS]!r}"
    try:
        reading = subject.connector.read(message)
    except HoldRecord as held:
        return (
            None if _CODE.fullmatch(held.code) and held.words else f"{shown}: held without reason"
        )
    except Exception as fault:  # noqa: BLE001 - any other exception is the finding
        return f"{shown}: {type(fault).__name__}"
    return f"{shown}: read as an event" if reading.events else None


def _read(subject: Subject, message: RawMessage) -> _Read:
    try:
        return subject.connector.read(message)
    except HoldRecord as held:
        return held


def _comparable(read: _Read) -> object:
    return (read.code, read.pointer, read.words) if isinstance(read, HoldRecord) else read


def _raw(topic: str, body: bytes) -> RawMessage:
    return RawMessage(topic, body, RECEIVED_AT)


def _present(fault: str | None) -> Iterator[str]:
    if fault is not None:
        yield fault
