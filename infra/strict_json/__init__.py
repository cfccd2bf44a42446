"""One strict JSON reader for everything that arrives: exact numbers, no ambiguity, bounded cost."""

from infra.strict_json.fault import DEFAULT, WORDS, JsonLimits, StrictJsonError
from infra.strict_json.numbers import check_decimal_text
from infra.strict_json.read import JsonValue, read_json, read_object

__all__ = [
    "DEFAULT",
    "WORDS",
    "JsonLimits",
    "JsonValue",
    "StrictJsonError",
    "check_decimal_text",
    "read_json",
    "read_object",
]
