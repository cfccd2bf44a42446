"""Checks on errors: every code that a connector says has a class, and its rules are about real ones."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.canonical.event import BODIES
from connectors.lab.findings import Finding, verdict
from connectors.lab.subject import Subject
from connectors.sdk.errors import SHARED_RULES, ErrorRule

_CODE = re.compile(r"[a-z_]+\.[a-z_]+")
# What speaks with a code as its first argument; private ones are the catalogue's own shorthands.
_SPEAKERS = frozenset(
    {"HoldRecord", "Rejected", "RetryLater", "NotSent", "_held", "_later", "_refused"}
)
# Other systems that live in a connector's folder: their words are not its answers.
_NOT_ITS_OWN = frozenset({"emulator", "emulator.py", "local"})


def error_rules_are_about_real_codes(subject: Subject) -> Finding:
    """Every rule names a code that the connector says, and no two rules are about the same."""
    return verdict(_rule_faults(subject.manifest.errors, said_codes(subject.folder)))


def every_code_has_a_class(subject: Subject) -> Finding:
    """Every code that the connector says is in its own rules or in those for all."""
    rules = (*subject.manifest.errors, *SHARED_RULES)
    return verdict(
        f"{code} has no class: add a row under [[errors]]"
        for code in sorted(said_codes(subject.folder))
        if not any(rule.fits_code(code) for rule in rules)
    )


def clocks_are_on_known_events(subject: Subject) -> Finding:
    """A vendor's deadline is set on an event that the connector reads."""
    return verdict(
        f"clock {clock.name!r} is on {clock.event!r}, which the connector does not read"
        for clock in subject.manifest.clocks
        if clock.event not in BODIES or clock.event not in _told_by(subject)
    )


def said_codes(folder: Path) -> frozenset[str]:
    """Find the codes that a connector's source answers or holds with."""
    files = (
        path
        for path in folder.rglob("*.py")
        if not _NOT_ITS_OWN & set(path.relative_to(folder).parts)
    )
    told = (code for path in files for code in _codes_in(path))
    # What is skipped by rule is no trouble.
    return frozenset(code for code in told if not code.startswith("skipped."))


def _told_by(subject: Subject) -> set[str]:
    manifest = subject.manifest
    return set(manifest.reads).union(*(stream.events for stream in manifest.streams))


def _rule_faults(rules: Iterable[ErrorRule], said: frozenset[str]) -> Iterator[str]:
    keys = Counter((rule.code, rule.status, rule.outcome) for rule in rules)
    yield from (f"two rules are about {key}" for key, count in keys.items() if count > 1)
    for rule in rules:
        if rule.code and not any(rule.fits_code(code) for code in said):
            yield f"a rule names {rule.code!r}, which the connector never says"


def _codes_in(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = dict(_constants(tree))
    for node in ast.walk(tree):
        for told in _told(node):
            text = named.get(told.id) if isinstance(told, ast.Name) else _text(told)
            if text is not None and _CODE.fullmatch(text):
                yield text


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(node.value)
            if text is not None:
                yield node.targets[0].id, text


def _told(node: ast.AST) -> Iterator[ast.AST]:
    """Give the expressions of one node that may be a code."""
    if isinstance(node, ast.Call) and _name(node) in _SPEAKERS:
        yield from node.args[:1]
    elif isinstance(node, ast.Dict):
        yield from ast.walk(node)


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func).rsplit(".", 1)[-1]


def _text(node: ast.AST) -> str | None:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return str(node.value) if is_text and isinstance(node, ast.Constant) else None
