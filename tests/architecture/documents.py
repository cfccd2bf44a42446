"""The documents that the tests read, and the codes that the source can answer with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.architecture.sources import ROOT, is_inside, product_files, text_of, tree_of

ERRORS = Path("docs/errors.md")
DEVELOPMENT = Path("DEVELOPMENT.md")
HTTP_API = Path("docs/guides/http-api.md")

# Other systems that happen to live here, and the suite that judges connectors: their words are not
# answers of the product.
_NOT_THE_PRODUCT = (
    "connectors/catalog/http/emulator",
    "connectors/catalog/pos_files/emulator.py",
    "connectors/catalog/shopify/emulator",
    "connectors/catalog/tryton/local",
    "connectors/lab",
)
_CODE = re.compile(r"[a-z_]+\.[a-z_]+")
_ROW = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \|", re.MULTILINE)
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
# Codes that the source puts together, or chooses between, instead of writing them in such a call.
COMPOSED = {
    *("amount.invalid", "amount.range", "amount.scale"),
    *("quantity.invalid", "quantity.range", "quantity.scale"),
    *("egress.address_blocked", "egress.https_required", "egress.self_connection"),
    *("order.currency_differs", "outcome.unknown", "retries.exhausted"),
    *("override.paused", "override.skipped"),
    *("price.approval_needed", "price.invalid", "promotion.invalid"),
    *("price.no_flow", "price.missed", "price.told_ahead", "price.not_transferable"),
    *("signature.missing", "signature.stale", "signature.future", "signature.malformed"),
}
# Calls whose first argument is a code.
_SPEAKERS = {
    *("HoldRecord", "Rejected", "RetryLater", "NotSent", "_held", "_later", "_refused"),
    *("EgressNotSent", "EgressRefused", "EgressAnswerLost", "next_step", "parked", "Fault"),
}
# Calls whose second argument is a code, behind the field at fault.
_NAMES_A_FIELD_FIRST = {"FieldError", "_refusal"}


@cache
def documents() -> tuple[Path, ...]:
    """List the documents, relative to the root."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return tuple(sorted(path.relative_to(ROOT) for path in found))


def blocks(path: Path, language: str) -> list[str]:
    """Give the fenced blocks of a document that are written in one language."""
    return [body for named, body in _FENCE.findall(text_of(path)) if named == language]


def code_of(path: Path) -> str:
    """Give everything that a document marks as code: fenced blocks and spans, a line each."""
    text = text_of(path)
    fenced = [body for _, body in _FENCE.findall(text)]
    return "\n".join([*fenced, *_SPAN.findall(_FENCE.sub("", text))])


def documented_codes() -> set[str]:
    """Give the codes that have a row in the page of codes."""
    return set(_ROW.findall(text_of(ERRORS)))


def spoken_codes() -> set[str]:
    """Give the codes that the source answers, holds, waits or skips with."""
    files = [path for path in product_files() if not is_inside(path, _NOT_THE_PRODUCT)]
    return COMPOSED | {code for path in files for code in _codes_in(path)}


def _codes_in(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        for candidate in _candidates(node, path):
            text = candidate.value if isinstance(candidate, ast.Constant) else None
            if isinstance(text, str) and _CODE.fullmatch(text):
                yield text


def _candidates(node: ast.AST, path: Path) -> Iterator[ast.AST]:
    """Give the expressions of one node that may be a code."""
    if isinstance(node, ast.Call):
        yield from _arguments(node, path)
    elif isinstance(node, ast.ClassDef):
        assigned = [each for each in node.body if isinstance(each, ast.Assign)]
        yield from (each.value for each in assigned if ast.unparse(each.targets[0]) == "code")
    elif isinstance(node, ast.Dict) and is_inside(path, ("connectors/catalog",)):
        yield from ast.walk(node)
    elif isinstance(node, ast.Constant) and str(node.value).startswith(("skipped.", "merged.")):
        yield node


def _arguments(call: ast.Call, path: Path) -> Iterator[ast.AST]:
    yield from (each.value for each in call.keywords if each.arg == "code")
    name = ast.unparse(call.func).rsplit(".", 1)[-1]
    if name in _SPEAKERS:
        yield from call.args[:1]
    elif name in _NAMES_A_FIELD_FIRST:
        yield from call.args[1:2]
    elif name == "Decision" and is_inside(path, ("app/deliveries",)):
        yield from call.args
