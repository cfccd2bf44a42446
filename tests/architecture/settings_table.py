"""The settings as rows of the table in DEVELOPMENT.md."""

from __future__ import annotations

import inspect

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from infra import settings


def setting_rows() -> dict[str, str]:
    """Give the row of every setting, by the name of its variable."""
    rows = {}
    for _, each in inspect.getmembers(settings, _is_concern):
        for name, field in each.model_fields.items():
            variable = _variable(name, field)
            rows[variable] = f"| `{variable}` | {_default(field)} | {field.description} |"
    return rows


def _is_concern(candidate: object) -> bool:
    return (
        inspect.isclass(candidate)
        and issubclass(candidate, BaseSettings)
        and candidate.__module__ == settings.__name__
        and bool(candidate.model_fields)
    )


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return alias if isinstance(alias, str) else settings.PREFIX + name.upper()


def _default(field: FieldInfo) -> str:
    """Write a default as it is typed into an environment."""
    if field.is_required():
        return "none, needed"
    value = field.default
    if value in (None, (), ""):
        return "not set"
    written = ",".join(value) if isinstance(value, tuple) else str(value)
    return f"`{written}`"
