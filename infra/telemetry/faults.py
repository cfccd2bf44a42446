"""What may be told about an exception: its type and place, never its text, which may hold a payload."""

from __future__ import annotations

import traceback
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_FRAMES = 6


def error_fields(error: BaseException) -> dict[str, str]:
    """Describe an exception as log fields: `error_type` and the innermost frames as `error_at`."""
    return {"error_type": type_name(error), "error_at": " < ".join(_places(error))}


def type_name(error: BaseException) -> str:
    """Name the class of an exception with its module."""
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _places(error: BaseException) -> list[str]:
    """List the innermost frames, the place of the fault first; no source lines, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames)]


def _short(file_name: str) -> str:
    path = Path(file_name)
    if path.is_relative_to(_ROOT) and ".venv" not in path.parts:
        return str(path.relative_to(_ROOT))
    return "/".join(path.parts[-2:])
