"""One transaction of a POSLog as an element tree: no entities, no network, bounded in every way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from connectors.catalog.pos_files.poslog_root import ARTS_NAMESPACE
from connectors.sdk.message import HoldRecord

MAX_DEPTH = 64
MAX_ITEMS = 100_000  # tags and attributes; a ticket of 1,000 lines with every NCR detail has 60,000
# A record is cut out of its root, which declared these. Source: a real NCR ACS POSLog 2.1 file.
NAMESPACES = {
    "poslog": ARTS_NAMESPACE,
    "acs": "http://www.ncr.com/rsd/acs/tlog/markup/poslog/2.1",
    "raw": "http://www.ncr.com/rsd/acs/tlog/markup/raw/base/6.1",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_PREFIX = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z_]", re.ASCII)
_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_OPAQUE = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)


def parse(body: bytes, encoding: str) -> etree._Element:
    """Parse one `<Transaction>`; raises HoldRecord saying what makes it unreadable."""
    text = _text(body, encoding)
    if _DECLARATION.search(_OPAQUE.sub("", text)):
        raise _held("xml.dtd", "carries a document type declaration, which tills do not write")
    if text.count("<") + text.count('="') + text.count("='") > MAX_ITEMS:
        raise _held("xml.too_many_items", f"has more than {MAX_ITEMS:,} elements and attributes")
    holder = _parsed(_wrapped(text))
    inside = list(holder)
    if len(inside) != 1 or name_of(inside[0]) != "Transaction":
        raise _held("xml.malformed", "is not one <Transaction>")
    if _is_deeper(inside[0], MAX_DEPTH):
        raise _held("xml.too_deep", f"is nested deeper than {MAX_DEPTH} elements")
    return inside[0]


def name_of(element: etree._Element) -> str:
    """Give an element's name without its namespace; vendors move fields between theirs and ARTS."""
    return str(element.tag).rpartition("}")[2]


def children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """Give the direct children of this name, in order."""
    return (child for child in (element if element is not None else ()) if name_of(child) == name)


def child(element: etree._Element | None, name: str) -> etree._Element | None:
    """Give the first direct child of this name."""
    return next(children(element, name), None)


def text_at(element: etree._Element | None, *path: str) -> str:
    """Give the trimmed text at a path of names; empty when there is none."""
    for name in path:
        element = child(element, name)
    return (element.text or "").strip() if element is not None else ""


def attribute(element: etree._Element, name: str) -> str:
    """Give an attribute by its name without namespace; empty when there is none."""
    return next((value for key, value in attributes(element) if key == name), "").strip()


def attributes(element: etree._Element) -> Iterator[tuple[str, str]]:
    """Give the attributes with their names without namespace."""
    return ((str(key).rpartition("}")[2], str(value)) for key, value in element.items())


def _text(body: bytes, encoding: str) -> str:
    if b"\0" in body:
        raise _held("text.nul", f"has a NUL character at byte {body.index(0)} of it")
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as fault:
        raise _held("file.encoding", f"is not {encoding} at byte {fault.start} of it") from None


def _wrapped(text: str) -> bytes:
    """Put the root's namespace declarations around a record, so that it parses alone."""
    prefixes = set(_PREFIX.findall(text)) - {"xml", "xmlns"}
    declared = {
        prefix: NAMESPACES.get(prefix, f"urn:prefix:{prefix}") for prefix in sorted(prefixes)
    }
    spaces = "".join(f' xmlns:{prefix}="{space}"' for prefix, space in declared.items())
    return f'<record xmlns="{ARTS_NAMESPACE}"{spaces}>{text}</record>'.encode()


def _parsed(document: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        return etree.fromstring(document, parser)
    except etree.XMLSyntaxError as fault:
        reason = (fault.msg or "").partition(", line")[0]
        if "depth" in reason.lower():
            raise _held("xml.too_deep", f"is nested deeper than {MAX_DEPTH} elements") from None
        raise _held("xml.malformed", f"is not well-formed XML ({reason[:120]})") from None


def _is_deeper(element: etree._Element, most: int) -> bool:
    level = [element]
    for _ in range(most):
        level = [inner for outer in level for inner in outer]
        if not level:
            return False
    return True


def _held(code: str, reason: str) -> HoldRecord:
    return HoldRecord(
        code,
        "/Transaction",
        f"This transaction {reason}. The others of the file are not affected. "
        "Ask the till to send it again, or correct it here and release it.",
    )
