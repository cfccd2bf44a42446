"""Pydantic's findings in plain words: which field, which rule; never what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.errors import FieldError

_MAX_ERRORS = 50
_MAX_PART_CHARS = 64
_UNKNOWN = "This value is not valid here."

# pydantic error type -> words; {names} are filled from the rule, never from the value.
_WORDS = {
    "missing": "This field is required.",
    "extra_forbidden": "This field is not known here.",
    "json_invalid": "The body is not valid JSON.",
    "string_type": "Must be a text.",
    "string_too_short": "Must have at least {min_length} characters.",
    "string_too_long": "Must have at most {max_length} characters.",
    "string_pattern_mismatch": "Must have the form {pattern}.",
    "int_type": "Must be a whole number.",
    "int_parsing": "Must be a whole number.",
    "int_from_float": "Must be a whole number.",
    "float_type": "Must be a number.",
    "float_parsing": "Must be a number.",
    "decimal_type": "Must be a decimal number.",
    "decimal_parsing": "Must be a decimal number.",
    "decimal_max_digits": "Must have at most {max_digits} digits.",
    "decimal_max_places": "Must have at most {decimal_places} decimals.",
    "finite_number": "Must be a finite number.",
    "greater_than": "Must be more than {gt}.",
    "greater_than_equal": "Must be {ge} or more.",
    "less_than": "Must be less than {lt}.",
    "less_than_equal": "Must be {le} or less.",
    "too_short": "Must have at least {min_length} entries.",
    "too_long": "Must have at most {max_length} entries.",
    "bool_type": "Must be true or false.",
    "bool_parsing": "Must be true or false.",
    "list_type": "Must be a list.",
    "dict_type": "Must be an object.",
    "model_type": "Must be an object.",
    "model_attributes_type": "Must be an object.",
    "enum": "Must be {expected}.",
    "literal_error": "Must be {expected}.",
    "uuid_parsing": "Must be an id.",
    "uuid_type": "Must be an id.",
    "datetime_parsing": "Must be a date and time such as 2026-03-01T12:00:00Z.",
    "datetime_from_date_parsing": "Must be a date and time such as 2026-03-01T12:00:00Z.",
    "timezone_aware": "Must have a time zone.",
    "date_parsing": "Must be a date such as 2026-03-01.",
    "date_from_datetime_parsing": "Must be a date such as 2026-03-01.",
    "url_parsing": "Must be a URL.",
    "url_scheme": "Must be a URL with one of these schemes: {expected_schemes}.",
}
# Where a value was sent -> first part of its pointer; a body's pointer begins at the body itself.
_ROOTS = {"body": (), "query": ("query",), "path": ("path",), "header": ("header",)}


def field_errors(found: Sequence[Any]) -> list[FieldError]:
    """Turn `RequestValidationError.errors()` into field errors, at most 50."""
    return [_field_error(each) for each in found[:_MAX_ERRORS]]


def _field_error(found: Mapping[str, Any]) -> FieldError:
    kind = str(found["type"])
    place = tuple(found["loc"])
    root = _ROOTS.get(str(place[0]), (str(place[0]),)) if place else ()
    parts = (*root, *place[1:]) if kind != "json_invalid" else root
    # A type with a dot is a rule of ours (PydanticCustomError): its code and its own words.
    if "." in kind:
        return FieldError(_pointer(parts), kind, str(found["msg"]))
    return FieldError(_pointer(parts), f"request.{kind}", _said(kind, found.get("ctx") or {}))


def _said(kind: str, rule: Mapping[str, Any]) -> str:
    try:
        return _WORDS.get(kind, _UNKNOWN).format_map(rule)
    except KeyError:
        return _UNKNOWN


def _pointer(parts: Sequence[int | str]) -> str:
    cut = (str(part)[:_MAX_PART_CHARS] for part in parts)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in cut)
