"""Checks on what a folder declares: manifest, secrets, versions, papers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from connectors.canonical.event import BODIES
from connectors.lab.findings import DoesNotApply, Finding, verdict
from connectors.lab.subject import Subject

_SEMVER = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_MIN_SETUP_CHARACTERS = 200


def manifest_is_whole(subject: Subject) -> Finding:
    """The manifest names its own folder, its version and its roles."""
    return verdict(_manifest_faults(subject))


def events_are_known(subject: Subject) -> Finding:
    """Streams, actions and `reads` name event types that exist (`reads` may name a stream)."""
    return verdict(_event_faults(subject))


def secrets_are_declared(subject: Subject) -> Finding:
    """The secret fields that authentication uses are among the declared secrets."""
    manifest = subject.manifest
    needed = {manifest.auth.field: manifest.auth.scheme not in {"none", "basic"}}
    needed |= {each: True for each in ("username", "password") if manifest.auth.scheme == "basic"}
    if manifest.webhook.scheme != "none":
        needed[manifest.webhook.field] = True
    return verdict(
        f"secret {name!r} is used but not declared"
        for name, is_needed in needed.items()
        if is_needed and name not in manifest.secrets
    )


def sunsets_are_days(subject: Subject) -> Finding:
    """Every end of a vendor version is a calendar day."""
    if not subject.manifest.vendor_versions:
        return DoesNotApply("it declares no vendor versions")
    return verdict(_sunset_faults(subject))


def quota_has_source(subject: Subject) -> Finding:
    """A target says where its limits come from."""
    if not subject.manifest.actions:
        return DoesNotApply("it is no target")
    return verdict(["quota.source is empty"] if not subject.manifest.quota.source else [])


def setup_is_written(subject: Subject) -> Finding:
    """People find out how to connect it."""
    path = subject.folder / "setup.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return verdict(["setup.md is missing or empty"] if len(text) < _MIN_SETUP_CHARACTERS else [])


def fixtures_exist(subject: Subject) -> Finding:
    """There is something to try its reading with."""
    if not subject.manifest.receives:
        return DoesNotApply("it is no source")
    return verdict([] if subject.cases else ["no fixture that could be read as a case"])


def _manifest_faults(subject: Subject) -> Iterator[str]:
    manifest = subject.manifest
    if manifest.name != subject.folder.name:
        yield f"its name is {manifest.name!r}, its folder {subject.folder.name!r}"
    if not _SEMVER.fullmatch(manifest.version):
        yield f"version {manifest.version!r} is not like 1.0.0"
    if not manifest.roles:
        yield "it declares no role"
    if not manifest.receives and not manifest.actions:
        yield "it neither receives nor acts"


def _event_faults(subject: Subject) -> Iterator[str]:
    manifest = subject.manifest
    streams = {stream.name for stream in manifest.streams}
    for told in manifest.reads:
        if told not in BODIES and told not in streams:
            yield f"reads names {told!r}, which does not exist"
    named = [(stream.name, stream.events) for stream in manifest.streams]
    named += [(action.name, action.events) for action in manifest.actions]
    for name, events in named:
        for told in events:
            if told not in BODIES:
                yield f"{name} names {told!r}, which does not exist"
        if not events:
            yield f"{name} names no event"
    names = [action.name for action in manifest.actions]
    if len(set(names)) < len(names):
        yield "two actions have one name"


def _sunset_faults(subject: Subject) -> Iterator[str]:
    for version in subject.manifest.vendor_versions:
        try:
            date.fromisoformat(version.sunset or "9999-12-31")
        except ValueError:
            yield f"{version.name} ends on {version.sunset!r}, which is no day"
