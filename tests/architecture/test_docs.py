"""The documents say what is so: every link, setting, code, route, command and query in them is held."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import cast

import pytest
import yaml
from pydantic import SecretStr

from app.api.app import build_api
from app.api.parts import ApiParts
from app.apply.document import Document
from app.apply.plan import plan
from app.cli.program import COMMANDS, GROUPS, PASSED_ON
from infra.database.pool import Database
from infra.database.scope import EngineScope
from infra.database.unit import begin
from tests.architecture.documents import (
    DEVELOPMENT,
    ERRORS,
    HTTP_API,
    blocks,
    code_of,
    documented_codes,
    documents,
    spoken_codes,
)
from tests.architecture.error_page import problem_rows, updated
from tests.architecture.settings_table import setting_rows
from tests.architecture.sources import ROOT, text_of

WRITTEN = (
    *("README.md", "ARCHITECTURE.md", "DEVELOPMENT.md", "CHANGELOG.md", "docs/glossary.md"),
    *("docs/errors.md", "docs/guides/first-steps.md", "docs/guides/http-api.md"),
    *("docs/guides/files.md", "docs/guides/connector.md", "docs/runbooks/README.md"),
)
RUNBOOK_PARTS = (
    *("## What people see", "## What it costs", "## What to look at"),
    *("## What to do", "## It is over when"),
)
# How the project came about is no business of its readers, and praise is none of ours.
FOREIGN = re.compile(
    r"\b(?:(?<!user )(?<!user-)agents?|helpers?|prompts?|the lead|this session|workplace|TODO|TBD"
    r"|issue \#?\d+|blazing\w*|seamless\w*|effortless\w*|world-class|cutting-edge|robust"
    r"|(?:design|features|reliability|domain|house-style|engine-limits)\.md)\b|\.\./shared|/tmp/",
    re.IGNORECASE,
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ROUTE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[\w/{}.-]+)")
MAKE = re.compile(r"\bmake ([a-z]+)\b")
TILLWIRE = re.compile(r"(?:^|[\s/(])tillwire ([a-z]+)(?: ([a-z]+))?", re.MULTILINE)
PAGES = [str(path) for path in documents()]
RUNBOOKS = [page for page in PAGES if page.startswith("docs/runbooks/") and "README" not in page]
QUERIES = [(page, query) for page in RUNBOOKS for query in blocks(Path(page), "sql")]


def test_the_documents_are_there() -> None:
    assert [page for page in WRITTEN if page not in PAGES] == []
    assert text_of(Path("LICENSE")).lstrip().startswith("Apache License\n")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    dead = [
        target
        for target in LINK.findall(COMMENT.sub("", text_of(Path(page))))
        if not target.startswith("https://") and not _is_there(Path(page), target)
    ]

    assert dead == []


@pytest.mark.parametrize("page", PAGES)
def test_documents_speak_of_the_product_only(page: str) -> None:
    assert [found.group() for found in FOREIGN.finditer(text_of(Path(page)))] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_documents_exist(page: str) -> None:
    code = code_of(Path(page))
    groups = {
        name: {each.name for each in (*of.registered_commands, *of.registered_groups)}
        for name, of in GROUPS.items()
    }
    known = {*COMMANDS, *PASSED_ON, *groups}

    assert [name for name in MAKE.findall(code) if name not in _targets()] == []
    assert [name for name, _ in TILLWIRE.findall(code) if name not in known] == []
    assert [
        (name, sub)
        for name, sub in TILLWIRE.findall(code)
        if name in groups and sub and sub not in groups[name]
    ] == []


@pytest.mark.parametrize("page", PAGES)
def test_routes_in_documents_exist(page: str) -> None:
    named = set(ROUTE.findall(code_of(Path(page))))

    assert named - _routes() - {("GET", "/metrics")} == set()


def test_every_route_is_in_the_guide_of_the_api() -> None:
    assert _routes() - set(ROUTE.findall(code_of(HTTP_API))) == set()


def test_every_setting_is_in_its_table_with_its_default() -> None:
    text = text_of(DEVELOPMENT)
    named = set(re.findall(r"^\| `([A-Z][A-Z_0-9]+)` \|", text, re.MULTILINE))
    rows = setting_rows()

    assert [row for row in rows.values() if row not in text] == []
    assert named - set(rows) == set()


def test_the_table_of_problems_is_that_of_the_catalogue() -> None:
    text = text_of(ERRORS)

    assert updated(text) == text, "run: python -m tests.architecture.error_page"


def test_every_code_of_the_source_is_explained() -> None:
    assert sorted(spoken_codes() - documented_codes()) == []


def test_no_code_is_explained_that_nothing_says() -> None:
    assert sorted(documented_codes() - spoken_codes() - set(problem_rows())) == []


def test_every_code_has_one_row() -> None:
    rows = Counter(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", text_of(ERRORS), re.MULTILINE))

    assert [code for code, count in rows.items() if count > 1] == []


@pytest.mark.parametrize("page", RUNBOOKS)
def test_runbook_says_what_a_person_on_duty_needs(page: str) -> None:
    text = text_of(Path(page))

    assert [part for part in RUNBOOK_PARTS if f"\n{part}\n" not in text] == []
    assert f"({Path(page).name})" in text_of(Path("docs/runbooks/README.md"))


@pytest.mark.parametrize(("page", "query"), QUERIES)
async def test_query_of_runbook_runs_without_reading_payloads(
    database: Database, page: str, query: str
) -> None:
    async with begin(EngineScope(), database) as session:
        await session.execute("set transaction read only")
        await session.fetch(query)


def test_configuration_in_the_guide_can_be_applied() -> None:
    (written,) = blocks(Path("docs/guides/first-steps.md"), "yaml")
    secrets: dict[str, SecretStr] = defaultdict(lambda: SecretStr("example"))

    changes = plan(Document.model_validate(yaml.safe_load(written)), {}, secrets)

    assert [(change.act, change.kind) for change in changes] == [
        ("create", "partner"),
        ("create", "retailer"),
        ("create", "connection"),
        ("store", "credential"),
        ("store", "credential"),
        ("issue", "hook"),
        ("create", "connection"),
        ("store", "credential"),
        ("create", "flow"),
    ]


@cache
def _targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z]+):", text_of(Path("Makefile")), re.MULTILINE))


@cache
def _routes() -> frozenset[tuple[str, str]]:
    # The contract needs no servers: parts are used when a request comes.
    contract = build_api(cast("ApiParts", None)).openapi()
    return frozenset(
        (method.upper(), path) for path, acts in contract["paths"].items() for method in acts
    )


def _is_there(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    path = (ROOT / page.parent / name) if name else ROOT / page
    if not path.exists():
        return False
    return not anchor or anchor in {
        _anchor(heading) for heading in HEADING.findall(path.read_text("utf-8"))
    }


def _anchor(heading: str) -> str:
    """Write a heading as its address within the page, as code hosts do."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
