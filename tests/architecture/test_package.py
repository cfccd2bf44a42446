"""What is installed is whole: every file that code reads beside itself comes along."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT, repository_files

PACKAGES = {"app", "billing", "connectors", "infra", "portal", "tenants"}
DATA = {".csv", ".html", ".json", ".lock", ".md", ".py", ".sql", ".svg", ".toml", ".xml"}


def test_every_file_that_code_reads_is_installed(tmp_path: Path) -> None:
    built = tmp_path / "built"
    command = ["-q", "egg_info", "--egg-base", str(tmp_path), "build_py", "--build-lib", str(built)]
    program = "from setuptools import setup; setup()"

    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *command], cwd=ROOT, check=True, timeout=100
    )

    wanted = {
        path for path in repository_files() if path.parts[0] in PACKAGES and path.suffix in DATA
    }
    installed = {path.relative_to(built) for path in built.rglob("*") if path.is_file()}
    assert sorted(map(str, wanted - installed)) == []
