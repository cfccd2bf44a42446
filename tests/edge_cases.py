"""Which case of the catalogue is covered by which test, as the tests say themselves.

A test names the cases it checks at the beginning of its docstring: `E-D01, E-D02. A webhook ...`.
`python -m tests.edge_cases` writes docs/edge-cases.md anew.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "edge-cases.md"
_CATALOGUE = Path(__file__).with_name("edge_cases.toml")
_NAMED = re.compile(r"(E-[A-Z][0-9]{2}(?:, E-[A-Z][0-9]{2})*)\.")
_HEAD = """# Edge cases

Every case of the catalogue, and the tests that play it. Written from the tests themselves by
`python -m tests.edge_cases`.

"""


@dataclass(frozen=True, slots=True)
class Group:
    """Cases of one kind, by id."""

    title: str
    cases: Mapping[str, str]


def catalogue() -> list[Group]:
    """Read the catalogue, in its order."""
    told = tomllib.loads(_CATALOGUE.read_text(encoding="utf-8"))
    return [
        Group(group["title"], {case: words for case, words in group.items() if case != "title"})
        for group in told.values()
    ]


def covered() -> dict[str, list[str]]:
    """Give the tests of each case as `path::name`, in alphabetical order."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, cases in _tests_of(path):
            for case in cases:
                found[case].append(f"{path.relative_to(ROOT)}::{name}")
    return dict(found)


def page() -> str:
    """Write the page: each case with its tests, or that there is none yet."""
    tests = covered()
    groups = catalogue()
    of_all = [case for group in groups for case in group.cases]
    done = sum(case in tests for case in of_all)
    parts = [_HEAD, f"{done} of {len(of_all)} cases have a test.\n"]
    for group in groups:
        parts.append(f"\n## {group.title}\n\n| Case | What happens | Test |\n|---|---|---|\n")
        parts += [_row(case, words, tests.get(case, [])) for case, words in group.cases.items()]
    return "".join(parts)


def _row(case: str, words: str, tests: list[str]) -> str:
    links = "<br>".join(
        f"[{each.partition('::')[2]}](../{each.partition('::')[0]})" for each in tests
    )
    return f"| {case} | {words.replace('|', '/')} | {links or 'not yet'} |\n"


def _tests_of(path: Path) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        match = _NAMED.match(ast.get_docstring(node) or "")
        if node.name.startswith("test_") and match:
            yield node.name, match[1].split(", ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
