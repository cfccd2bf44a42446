"""The beginning of a POSLog file: what comes before its transactions, and whether to trust it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.catalog.pos_files.encoding import BOM
from connectors.catalog.pos_files.window import Window
from connectors.sdk.message import HoldRecord

ARTS_NAMESPACE = "http://www.nrf-arts.org/IXRetail/namespace/"
ROOT_NAME = b"POSLog"
_MAX_PROLOG_BYTES = 65_536
_BEFORE_ROOT = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ROOT = re.compile(
    rb"<(?:([A-Za-z_][\w.-]{0,30}):)?([A-Za-z_][\w.-]*)"
    rb"((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*(/?)>"
)
_NAMESPACE = re.compile(rb"\sxmlns(?::([\w.-]+))?\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


@dataclass(frozen=True, slots=True)
class Root:
    """The opened root: by which prefixes (b"" for none) its namespace goes, and if it is empty."""

    prefixes: frozenset[bytes]
    is_empty: bool


def open_root(window: Window) -> Root:
    """Move past the prolog and the root's start tag.

    Raises: HoldRecord for the whole file: `file.empty`, `xml.dtd`, `xml.malformed`,
            `poslog.root_unknown`, `xml.namespace` or `poslog.incomplete`.
    """
    while len(window.data) < _MAX_PROLOG_BYTES and window.load():
        if _ROOT.search(window.data):
            break
    _skip_prolog(window)
    found = _ROOT.match(window.data)
    if found is None:
        raise _unreadable(window)
    prefix, name, attributes, slash = (found[1] or b""), found[2], found[3], found[4]
    _check(name, spaces := _namespaces(attributes), prefix)
    window.take(found.end())
    own = ARTS_NAMESPACE.encode()
    return Root(frozenset(at for at, space in spaces.items() if space == own), bool(slash))


def _skip_prolog(window: Window) -> None:
    if window.data.startswith(BOM):
        window.take(len(BOM))
    before = _BEFORE_ROOT.match(window.data)
    window.take(before.end() if before else 0)
    if window.data[:9].upper() == b"<!DOCTYPE":
        raise HoldRecord(
            "xml.dtd",
            "/",
            "The file carries a document type declaration, which can pull in other files. "
            "Tills do not write one: find out who changed this file.",
        )


def _unreadable(window: Window) -> HoldRecord:
    if not window.byte and not window.data:
        return HoldRecord("file.empty", "/", "The file is empty. Ask the till to send it again.")
    is_cut_off = b">" not in window.data and not window.load()
    if is_cut_off and (not window.data or window.data.startswith(b"<")):
        return HoldRecord(
            "poslog.incomplete",
            "/POSLog",
            "The file ends before its first transaction. It waits for the complete file.",
        )
    return HoldRecord(
        "xml.malformed",
        "/POSLog",
        f"The file does not begin as a POSLog (byte {window.byte}). Ask the till to send it again.",
    )


def _namespaces(attributes: bytes) -> dict[bytes, bytes]:
    found = _NAMESPACE.finditer(attributes)
    return {(match[1] or b""): (match[2] or match[3] or b"") for match in found}


def _check(name: bytes, spaces: dict[bytes, bytes], prefix: bytes) -> None:
    if name != ROOT_NAME:
        raise HoldRecord(
            "poslog.root_unknown",
            "/",
            f"The file is a <{name.decode('ascii', 'replace')[:40]}>, not a <POSLog>. "
            "Check which files the till drops into this folder.",
        )
    if spaces.get(prefix) != ARTS_NAMESPACE.encode():
        raise HoldRecord(
            "xml.namespace",
            "/POSLog",
            f'The POSLog is not in the namespace "{ARTS_NAMESPACE}" that this dialect uses. '
            "Set the connection's dialect to the one of this till.",
        )
