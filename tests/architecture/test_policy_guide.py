"""The guide on errors and retries says what the engine does."""

from __future__ import annotations

from tests.architecture.policy_table import GUIDE, updated
from tests.architecture.sources import text_of


def test_the_tables_of_the_guide_are_those_of_the_code() -> None:
    text = text_of(GUIDE)

    assert updated(text) == text, "run: python -m tests.architecture.policy_table"
