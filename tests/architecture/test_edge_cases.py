"""The page of edge cases says what the tests say, and no test claims a case that does not exist."""

from __future__ import annotations

from tests.edge_cases import PAGE, catalogue, covered, page


def test_the_page_of_edge_cases_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.edge_cases"


def test_every_case_that_a_test_claims_is_in_the_catalogue() -> None:
    known = {case for group in catalogue() for case in group.cases}

    assert {case: tests for case, tests in covered().items() if case not in known} == {}
