"""Keep the hook paths that were made, for who sets up the senders; the file is for its owner only."""

from __future__ import annotations

import json
import os
from pathlib import Path

from infra.errors import PlatformError

_OWNER_ONLY = 0o600


def write_hooks(path: Path, hooks: dict[str, str]) -> None:
    """Add hook paths to a JSON file (`partner/retailer/connection` -> path), mode 0600.

    Earlier entries stay: a path is shown once and cannot be read again from the platform.
    """
    kept = _read(path) | hooks
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=2, sort_keys=True)
        file.write("\n")
    draft.replace(path)


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        return {str(k): str(v) for k, v in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError):
        raise PlatformError(
            f"{path} holds something else than hook paths. Name another file.",
            code="apply.hooks_file_unusable",
        ) from None
