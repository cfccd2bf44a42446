"""Files are small and named for what they are for, and async code never blocks on purpose."""

from __future__ import annotations

import ast

from tests.architecture.sources import (
    called_names,
    imported_names,
    product_files,
    python_files,
    text_of,
    tree_of,
)

MAXIMUM_LINES = 400
NAMELESS = {
    *("base", "common", "data", "helper", "helpers"),
    *("info", "manager", "misc", "util", "utils"),
}
BLOCKING_SLEEP = "time.sleep"


def test_no_product_file_is_longer_than_the_wall() -> None:
    sizes = {str(path): len(text_of(path).splitlines()) for path in product_files()}

    assert {name: size for name, size in sizes.items() if size > MAXIMUM_LINES} == {}


def test_every_module_has_a_name_that_says_something() -> None:
    found = [str(path) for path in python_files() if NAMELESS & {*path.parts, path.stem}]

    assert found == []


def test_async_functions_never_block_with_sleep() -> None:
    found = [
        f"{path}:{line}"
        for path in python_files()
        for function in ast.walk(tree_of(path))
        if isinstance(function, ast.AsyncFunctionDef)
        for name, line in called_names(function)
        if name == BLOCKING_SLEEP
    ]

    assert found == []


def test_sleep_is_never_taken_out_of_its_module() -> None:
    # As a bare `sleep(` nobody can tell whether it blocks the loop.
    found = [
        f"{path}:{line}"
        for path in python_files()
        for name, line in imported_names(tree_of(path))
        if name in {BLOCKING_SLEEP, "asyncio.sleep"}
    ]

    assert found == []
