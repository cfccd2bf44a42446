"""Bring docs/errors.md up to date: `python -m tests.architecture.error_page`.

The first table is written from the catalogue of problems. A code that has moved there leaves its
hand-written row in the later tables.
"""

from __future__ import annotations

import re

from app.api.refusals import explain_refusals
from infra.web.catalogue import PROBLEMS
from tests.architecture.documents import ERRORS
from tests.architecture.sources import ROOT

_TABLE = re.compile(r"(?<=\|---\|---\|---\|---\|\n)(?:\|.*\n)*")
_ROW_OF = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \|.*\n", re.MULTILINE)


def problem_rows() -> dict[str, str]:
    """Give the row of every problem code, in the order of the catalogue."""
    explain_refusals()
    return {
        code: f"| `{code}` | {page.title} | {page.meaning} | {page.way_out} |"
        for code, page in PROBLEMS.items()
    }


def updated(page: str) -> str:
    """Give the page with the present catalogue in its first table."""
    rows = problem_rows()
    begun, _, later = page.partition("\n## Further refusals\n")
    begun = _TABLE.sub(lambda _: "\n".join(rows.values()) + "\n", begun, count=1)
    later = _ROW_OF.sub(lambda row: "" if row[1] in rows else row[0], later)
    return f"{begun}\n## Further refusals\n{later}"


if __name__ == "__main__":
    path = ROOT / ERRORS
    path.write_text(updated(path.read_text("utf-8")), "utf-8")
