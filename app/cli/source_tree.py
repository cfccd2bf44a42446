"""Programs that live beside the product's source and are not installed with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from infra.errors import PlatformError

_ROOT = Path(__file__).parents[2]


def run_beside_source(module: str, arguments: list[str]) -> int:
    """Run a module of the source tree with this very interpreter; gives its exit code.

    Raises PlatformError where only the installed product is there.
    """
    if not (_ROOT / module.replace(".", "/")).is_dir():
        raise PlatformError(
            f"{module} is part of the source tree, which is not here. Run this in a clone.",
            code="cli.source_tree_missing",
        )
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=_ROOT, check=False).returncode  # noqa: S603 - our own modules
