"""The files that the architecture tests read."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("app", "billing", "connectors", "infra", "portal", "tenants")


@cache
def product_files() -> tuple[Path, ...]:
    """List the product's Python files, relative to the root."""
    found = [path for package in PRODUCT for path in (ROOT / package).rglob("*.py")]
    found += [path for path in (ROOT / "main.py",) if path.exists()]
    return tuple(sorted(path.relative_to(ROOT) for path in found))


@cache
def python_files() -> tuple[Path, ...]:
    """List all Python files, tests included, relative to the root."""
    tests = (path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))
    return (*product_files(), *sorted(tests))


@cache
def repository_files() -> tuple[Path, ...]:
    """List what is, or would be, under version control, relative to the root."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return python_files()
    command = [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    paths = (Path(name) for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


@cache
def text_of(path: Path) -> str:
    """Read a file; bytes that are no text are left out."""
    return (ROOT / path).read_text("utf-8", errors="ignore")


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse a Python file."""
    return ast.parse(text_of(path), str(path))


def is_inside(path: Path, places: tuple[str, ...]) -> bool:
    """Tell whether a file is one of these files, or in one of these folders."""
    return any(path.is_relative_to(place) for place in places)


def imported_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Give every imported module, and `module.name` for names taken from one, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def called_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Give the dotted name of everything that is called, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno
