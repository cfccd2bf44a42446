"""Only the unit of work ends a transaction."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import called_names, is_inside, product_files, tree_of

# Migrations are run by their own environment, outside any use case.
MAY_END_TRANSACTIONS = ("infra/database", "infra/migrations")
ENDING_CALLS = {"commit", "rollback"}
# A bare `begin` or `end` is also an ordinary word, as in the events of an XML parser.
ENDING_SQL = re.compile(
    r"(?:^|;)\s*(?:commit|rollback|(?:begin|start|end)\s+(?:transaction|work))\s*(?:;|$)",
    re.IGNORECASE,
)


def test_only_the_unit_of_work_commits() -> None:
    found = [
        f"{path}:{line} {name}"
        for path in product_files()
        if not is_inside(path, MAY_END_TRANSACTIONS)
        for name, line in called_names(tree_of(path))
        if "." in name and name.rsplit(".", 1)[1] in ENDING_CALLS
    ]

    assert found == []


def test_no_statement_text_ends_a_transaction() -> None:
    found = [
        f"{path}:{node.lineno} {node.value!r}"
        for path in product_files()
        if not is_inside(path, MAY_END_TRANSACTIONS)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if ENDING_SQL.search(node.value)
    ]

    assert found == []


@pytest.mark.parametrize("statement", ["COMMIT", "select 1; commit;", "begin work", "ROLLBACK;"])
def test_rule_sees_a_hidden_statement(statement: str) -> None:
    assert ENDING_SQL.search(statement)


@pytest.mark.parametrize("words", ["commits in this month", "the end of it", "begin"])
def test_rule_leaves_plain_words_alone(words: str) -> None:
    assert not ENDING_SQL.search(words)
