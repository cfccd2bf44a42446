"""Imports stand at the top, and only the egress package opens connections to the outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import (
    called_names,
    imported_names,
    is_inside,
    product_files,
    python_files,
    tree_of,
)

# File -> why its import has to wait until the function runs.
LATE_IMPORTS: dict[str, str] = {}

# The embedded servers ask their own loopback ports whether they are ready.
# Emulators and the local ERP are other systems that happen to live here; the product never runs them.
MAY_CONNECT = (
    "infra/egress",
    "infra/embedded",
    "connectors/catalog/http/emulator",
    "connectors/catalog/pos_files/emulator.py",
    "connectors/catalog/shopify/emulator",
    "connectors/catalog/tryton/local",
)
OUTBOUND_MODULES = {
    "aiohttp",
    "authlib.integrations.httpx_client",
    "authlib.integrations.requests_client",
    "ftplib",
    "http.client",
    "httpx",
    "httpx2",
    "requests",
    "smtplib",
    "urllib.request",
    "urllib3",
    "websockets",
}
OUTBOUND_CALLS = {"asyncio.open_connection", "socket.create_connection", "socket.socket"}


def test_no_import_hides_inside_a_function() -> None:
    found = [
        f"{path}:{line}"
        for path in python_files()
        if str(path) not in LATE_IMPORTS
        for line in _lines_of_late_imports(path)
    ]

    assert found == []


def test_every_exception_from_the_import_rule_is_still_needed() -> None:
    needless = [name for name in LATE_IMPORTS if not list(_lines_of_late_imports(Path(name)))]

    assert needless == []


def test_nobody_imports_the_composition_root() -> None:
    found = [
        f"{path}:{line}"
        for path in product_files()
        for name, line in imported_names(tree_of(path))
        if name == "main" or name.startswith("main.")
    ]

    assert found == []


def test_outbound_libraries_are_used_by_egress_only() -> None:
    found = [
        f"{path}:{line} {name}"
        for path in product_files()
        if not is_inside(path, MAY_CONNECT)
        for name, line in imported_names(tree_of(path))
        if name in OUTBOUND_CALLS or _is_outbound(name)
    ]

    assert found == []


def test_sockets_are_opened_by_egress_only() -> None:
    found = [
        f"{path}:{line} {name}"
        for path in product_files()
        if not is_inside(path, MAY_CONNECT)
        for name, line in called_names(tree_of(path))
        if name in OUTBOUND_CALLS
    ]

    assert found == []


def _is_outbound(name: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in OUTBOUND_MODULES)


def _lines_of_late_imports(path: Path) -> Iterator[int]:
    for function in ast.walk(tree_of(path)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield node.lineno
