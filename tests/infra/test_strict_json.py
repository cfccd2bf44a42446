"""The strict JSON reader: rows of the bad-input catalogue (BI numbers) and what stays exact."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.strict_json import (
    WORDS,
    JsonLimits,
    JsonValue,
    StrictJsonError,
    check_decimal_text,
    read_json,
    read_object,
)

E_ACUTE = "\N{LATIN SMALL LETTER E WITH ACUTE}"

# BI number, document, code, pointer, byte offset.
REFUSED: list[tuple[str, bytes, str, str | None, int | None]] = [
    ("BI-001", b"", "payload.empty", None, 0),
    ("BI-001", b" \r\n\t", "payload.empty", None, 0),
    ("BI-002", b"{", "payload.unparseable", None, 1),
    ("BI-002", b'{"a": [1, 2', "payload.unparseable", None, 11),
    ("BI-002", f'{{"{E_ACUTE}": 1,,}}'.encode(), "payload.unparseable", None, 9),
    ("BI-004", b'{"a": 1} tail', "payload.unparseable", None, 9),
    ("BI-004", b"{}{}", "payload.unparseable", None, 2),
    ("BI-005", b'{"price": NaN}', "number.not_finite", "/price", 10),
    ("BI-005", b"[0, Infinity]", "number.not_finite", "/1", 4),
    ("BI-005", b'{"a": {"b": -Infinity}}', "number.not_finite", "/a/b", 12),
    ("BI-006", b'{"total": 1e999}', "number.out_of_range", "/total", 10),
    ("BI-006", b'{"total": -1E-999}', "number.out_of_range", "/total", 10),
    ("BI-006", b'{"total": 1e99999999999999999999}', "number.out_of_range", "/total", 10),
    ("BI-009", b'{"quantity": 1e13}', "number.exponent", "/quantity", 13),
    ("BI-009", b'{"quantity": 0.01e-11}', "number.exponent", "/quantity", 13),
    ("BI-010", b"[0." + b"1" * 30 + b"]", "number.too_long", "/0", 1),
    ("BI-011", b'{"id": ' + b"9" * 5000 + b"}", "number.too_long", "/id", 7),
    ("BI-011", b"[-" + b"9" * 31 + b"]", "number.too_long", "/0", 1),
    ("BI-014", b"[" + b"1," * 50_000 + b"1]", "payload.too_many_items", None, None),
    ("BI-014", b"[" + b"[1]," * 25_000 + b"1]", "payload.too_many_items", None, None),
    ("BI-015", b'{"qty": 1, "qty": 100}', "payload.duplicate_key", "/qty", 11),
    ("BI-015", b'{"a": [{"x": 1, "\\u0078": 2}]}', "payload.duplicate_key", "/a/0/x", 16),
    ("BI-017", b'{"' + b"k" * 257 + b'": 1}', "payload.key_too_long", "/" + "k" * 64, 1),
    ("BI-026", b"<?xml version='1.0'?><order/>", "payload.wrong_media_type", None, 0),
    ("BI-026", b"order=1001&total=12.00", "payload.wrong_media_type", None, 0),
    ("BI-029", '{"a": 1}'.encode("utf-16"), "payload.encoding", None, 0),
    ("BI-029", '{"a": 1}'.encode("utf-16-le"), "payload.encoding", None, 0),
    ("BI-029", '{"a": 1}'.encode("utf-32-be"), "payload.encoding", None, 0),
    ("BI-029", '{"a": 1}'.encode("utf-8-sig"), "payload.encoding", None, 0),
    ("BI-030", b'{"a": "\xc0\xaf"}', "payload.encoding", None, 7),
    ("BI-030", b'{"a": "\xff"}', "payload.encoding", None, 7),
    ("BI-030", b'{"a": "\xed\xa0\x80"}', "payload.encoding", None, 7),
    ("BI-075", b'{"note": ["ok", "a\\u0000b"]}', "text.nul", "/note/1", 16),
    ("BI-075", b'{"a\\u0000": 1}', "text.nul", "/a\x00", 1),
    ("BI-076", b'{"name": "\\ud800"}', "text.surrogate", "/name", 9),
    ("BI-076", b'{"name": "x\\uDC00"}', "text.surrogate", "/name", 9),
    ("BI-076", b'{"n": "\\ud83d\\\\\\ude00"}', "text.surrogate", "/n", 6),
    ("BI-076", b'{"\\udfff": 1}', "text.surrogate", "/?", 1),
    ("depth", b"[" * 65 + b"]" * 65, "payload.too_deep", None, None),
    ("depth", b'{"a":' * 1_000_000, "payload.too_deep", None, None),
    ("control", b'{"a": "line\nfeed"}', "payload.unparseable", None, 11),
]


@pytest.mark.parametrize(("case", "raw", "code", "pointer", "offset"), REFUSED)
def test_bad_document_is_refused_with_code_pointer_and_offset(
    case: str, raw: bytes, code: str, pointer: str | None, offset: int | None
) -> None:
    with pytest.raises(StrictJsonError) as refused:
        read_json(raw)

    assert (refused.value.code, refused.value.pointer, refused.value.offset) == (
        code,
        pointer,
        offset,
    ), case
    assert refused.value.words == WORDS[code]


READ: list[tuple[str, bytes, JsonValue]] = [
    ("BI-007", b"[99999999999999999999.99]", [Decimal("99999999999999999999.99")]),
    ("BI-007", b"[0.1, 1.10]", [Decimal("0.1"), Decimal("1.10")]),
    ("BI-009", b"[1e12, 1E-12]", [Decimal("1e12"), Decimal("1e-12")]),
    ("BI-010", b"[0." + b"1" * 29 + b"]", [Decimal("0." + "1" * 29)]),
    ("BI-011", b"[-" + b"9" * 30 + b"]", [-int("9" * 30)]),
    ("BI-012", b'{"id": 9007199254740993}', {"id": 9007199254740993}),
    ("BI-014", b"[" + b"1," * 49_999 + b"1]", [1] * 50_000),
    ("BI-016", b'{"__proto__": 1, "constructor": 2}', {"__proto__": 1, "constructor": 2}),
    ("BI-017", b'{"' + b"k" * 256 + b'": 1}', {"k" * 256: 1}),
    ("BI-075", b'["\\\\u0000"]', ["\\u0000"]),
    ("BI-076", b'["\\ud83d\\ude00"]', ["\N{GRINNING FACE}"]),
    ("BI-076", b'["\\\\ud800"]', ["\\ud800"]),
    ("plain", b'{"a": [true, false, null, "x", {}, []]}', {"a": [True, False, None, "x", {}, []]}),
    ("brackets in text", json.dumps(["[" * 200 + '"' + "," * 60_000]).encode(), None),
]


@pytest.mark.parametrize(("case", "raw", "value"), READ)
def test_good_document_is_read_exactly(case: str, raw: bytes, value: JsonValue) -> None:
    expected = json.loads(raw) if value is None else value

    read = read_json(raw)

    assert read == expected, case
    assert repr(read) == repr(expected), case


def test_sixty_four_levels_are_read_and_one_more_is_refused_among_many_brackets() -> None:
    deepest = b"[" * 63 + b"1" + b"]" * 63
    read = read_json(b"[" + deepest + b",[],[]" * 100 + b"]")

    assert isinstance(read, list)
    assert len(read) == 201
    with pytest.raises(StrictJsonError, match=r"payload\.too_deep"):
        read_json(b"[[" + deepest + b"]" + b",[],[]" * 100 + b"]")


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"12", b"null", b"true"])
def test_bi_019_top_level_must_be_an_object_where_one_is_asked_for(raw: bytes) -> None:
    with pytest.raises(StrictJsonError) as refused:
        read_object(raw)

    assert (refused.value.code, refused.value.pointer) == ("payload.not_object", "")
    assert read_object(b'{"a": 1}') == {"a": 1}


TEXT_REFUSED = [
    ("BI-009", "1E+999999", "number.exponent"),
    ("BI-010", "1e500", "number.exponent"),
    ("BI-010", "9" * 5000, "number.too_long"),
    ("BI-010", "1." + "0" * 30, "number.too_long"),
    ("BI-024", "1,10", "number.locale"),
    ("BI-024", "1.234,56", "number.locale"),
    ("BI-024", "1,234.56", "number.locale"),
    ("BI-024", "1'234", "number.locale"),
    ("BI-024", "1 234", "number.locale"),
    ("BI-024", "1.234.567", "number.locale"),
    ("BI-005", "NaN", "number.not_finite"),
    ("BI-005", "sNaN123", "number.not_finite"),
    ("BI-005", "-Infinity", "number.not_finite"),
    ("BI-022", "three", "number.invalid"),
    ("BI-022", "", "number.invalid"),
    ("BI-022", " 1.10", "number.invalid"),
    ("BI-022", "1.10\n", "number.invalid"),
    ("BI-022", "+1", "number.invalid"),
    ("BI-022", "1.", "number.invalid"),
    ("BI-022", ".5", "number.invalid"),
    ("BI-022", "0x1F", "number.invalid"),
    ("BI-022", "\u0661\u0662", "number.invalid"),
]


@pytest.mark.parametrize(("case", "text", "code"), TEXT_REFUSED)
def test_text_that_is_no_plain_number_is_refused(case: str, text: str, code: str) -> None:
    with pytest.raises(StrictJsonError) as refused:
        check_decimal_text(text, pointer="/lines/0/quantity")

    assert (refused.value.code, refused.value.pointer) == (code, "/lines/0/quantity"), case


@pytest.mark.parametrize("text", ["0", "-0.00", "12.3400", "000123", "1e12", "2.5E-3", "9" * 30])
def test_plain_number_in_text_is_read_exactly(text: str) -> None:
    read = check_decimal_text(text)

    assert str(read) == str(Decimal(text))


def test_other_limits_are_obeyed() -> None:
    narrow = JsonLimits(max_depth=2, max_items=3, max_key_chars=4, max_digits=5, max_exponent=1)
    cases = {
        b"[[[1]]]": "payload.too_deep",
        b"[1,2,3,4]": "payload.too_many_items",
        b'{"quant": 1}': "payload.key_too_long",
        b"[123456]": "number.too_long",
        b"[1234.56]": "number.too_long",
        b"[1e2]": "number.exponent",
    }

    found = {}
    for raw in cases:
        with pytest.raises(StrictJsonError) as refused:
            read_json(raw, narrow)
        found[raw] = refused.value.code

    assert found == cases
    assert read_json(b'{"quan": [1.234]}', narrow) == {"quan": [Decimal("1.234")]}


def test_refusal_never_repeats_the_value() -> None:
    with pytest.raises(StrictJsonError) as refused:
        read_json(b'{"card": 4111111111111111411111111111111141111111111}')

    assert "4111" not in f"{refused.value!r} {refused.value} {refused.value.words}"


_scalars = st.none() | st.booleans() | st.integers(-(10**29), 10**29) | st.text()
_documents = st.recursive(
    _scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=20), inner),
    max_leaves=40,
)


@given(_documents, st.booleans())
def test_every_document_of_clean_values_survives_unchanged(
    document: JsonValue, ensure_ascii: bool
) -> None:
    raw = json.dumps(document, ensure_ascii=ensure_ascii).encode("utf-8", "surrogatepass")

    try:
        read = read_json(raw)
    except StrictJsonError as refused:
        assert refused.code == "text.nul"  # noqa: PT017 - the only fault such a document can have
        assert "\\u0000" in raw.decode()
    else:
        assert read == document


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_refusal(raw: bytes) -> None:
    try:
        read_json(raw)
    except StrictJsonError as refused:
        assert refused.code in WORDS  # noqa: PT017 - both ends are allowed


@given(st.text(alphabet='[]{}",:\\u0dD8Ccf1e-.N ', max_size=80))
def test_any_json_like_text_gives_a_value_or_a_refusal(text: str) -> None:
    try:
        read_json(text.encode())
    except StrictJsonError as refused:
        assert refused.code in WORDS  # noqa: PT017 - both ends are allowed
