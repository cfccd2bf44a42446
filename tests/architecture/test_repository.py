"""The repository speaks of the product, not of the machine or the way on which it was made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, repository_files, text_of

# Written with a gap, so that this file does not contain them itself.
FOREIGN = tuple(
    word.replace(" ", "")
    for word in (
        "anth ropic",
        "chat gpt",
        "cla ude",
        "co pilot",
        "gem ini",
        "open ai",
        "sub agent",
    )
)
FOREIGN_WORDS = re.compile(
    r"(?<![a-z])(?:" + "|".join(map(re.escape, FOREIGN)) + r")(?![a-z])", re.IGNORECASE
)
MACHINE_PATHS = re.compile(r"(?<![\w.:/-])/(?:wor[k]|roo[t])/")
LOCKS = ("requirements.lock", "package-lock.json")


def test_no_file_names_a_developers_machine() -> None:
    assert _found(MACHINE_PATHS) == []


def test_no_file_uses_a_foreign_word() -> None:
    assert _found(FOREIGN_WORDS) == []


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_by_hash_and_names_no_host(name: str) -> None:
    text = text_of(Path(name))

    assert "://" not in text
    assert '"resolved"' not in text
    assert "sha256:" in text or "sha512-" in text


def test_every_locked_python_package_has_an_exact_version_and_a_hash() -> None:
    entries = re.split(r"\n(?=\S)", text_of(Path("requirements.lock")).strip())

    assert len(entries) > 50
    assert [
        e for e in entries if not re.match(r"[a-z0-9._\[\]-]+==\S+.*--hash=sha256:", e, re.DOTALL)
    ] == []


def test_local_state_is_never_under_version_control() -> None:
    local = (".tillwire", ".venv", "node_modules", "uv.lock")

    assert [str(path) for path in repository_files() if path.parts[0] in local] == []


def _found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number} {match.group()}"
        for path in repository_files()
        if (ROOT / path).suffix not in {".png", ".woff2", ".ico"}
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if (match := pattern.search(line))
    ]
