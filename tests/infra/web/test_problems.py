"""Problem details from a FastAPI application: one form, no echo, no product name (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from infra.errors import Conflict, FieldError, Forbidden, Unauthorized, Unavailable
from infra.strict_json import WORDS, read_object
from infra.telemetry.events import start_logging
from infra.web.body import check_json_media_type, decode_body
from infra.web.catalogue import PROBLEMS, ProblemPage, add_problems
from infra.web.handlers import install_problems
from infra.web.problem_pages import problem_routes
from infra.web.validation import field_errors
from tests.infra.web.wire import HOST, Answer, exchange, request, serving

JSON_LINES = (f"Host: {HOST}", "Content-Type: application/json")


def _not_tilde(text: str) -> str:
    if text == "~":
        raise PydanticCustomError("sku.invalid", "A SKU is not a tilde.")
    if text == "hunter2":
        raise ValueError("hunter2 is not allowed")
    return text


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sku: Annotated[str, Field(max_length=5), AfterValidator(_not_tilde)]
    quantity: Decimal = Field(gt=0)


class Basket(BaseModel):
    lines: list[Line]


REFUSALS = {
    "conflict": Conflict("The order is already sent."),
    "forbidden": Forbidden("This key may not replay."),
    "unauthorized": Unauthorized(),
    "unavailable": Unavailable("Not now.", retry_after_s=7),
    "fields": Conflict("Two.", code="order.broken", errors=[FieldError("/a", "x.y", "Bad.")]),
}


def _application() -> FastAPI:
    app = FastAPI(openapi_url=None)
    install_problems(app)
    app.include_router(problem_routes())

    @app.post("/baskets")
    async def take_basket(basket: Basket, limit: int = 1) -> int:
        return len(basket.lines) * limit

    @app.post("/strict")
    async def take_strict(incoming: Request) -> dict[str, Any]:
        check_json_media_type(incoming.headers.raw)
        return read_object(decode_body(incoming.headers.raw, await incoming.body()))

    @app.get("/refusals/{name}")
    async def refuse(name: str) -> None:
        raise REFUSALS[name]

    return app


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(_application()) as opened:
        yield opened


def _post(port: int, target: str, body: bytes) -> Answer:
    return exchange(port, request("POST", target, JSON_LINES, body))


def _get(port: int, target: str, *lines: str) -> Answer:
    return exchange(port, request("GET", target, (f"Host: {HOST}", *lines)))


def test_every_wrong_field_has_a_pointer_and_no_value_comes_back(port: int) -> None:
    body = b"""{"lines": [{"sku": "secret-sku", "quantity": "-3.777"},
                          {"sku": "hunter2"}, {"sku": "~", "quantity": "x", "a/b~c": 1}]}"""

    answer = _post(port, "/baskets?limit=zzz", body)

    assert (answer.status, answer.json["code"]) == (422, "request.invalid")
    assert answer.headers["content-type"] == "application/problem+json"
    assert {(e["pointer"], e["code"], e["detail"]) for e in answer.json["errors"]} == {
        ("/query/limit", "request.int_parsing", "Must be a whole number."),
        ("/lines/0/sku", "request.string_too_long", "Must have at most 5 characters."),
        ("/lines/0/quantity", "request.greater_than", "Must be more than 0."),
        ("/lines/1/sku", "request.string_too_long", "Must have at most 5 characters."),
        ("/lines/1/quantity", "request.missing", "This field is required."),
        ("/lines/2/sku", "sku.invalid", "A SKU is not a tilde."),
        ("/lines/2/quantity", "request.decimal_parsing", "Must be a decimal number."),
        ("/lines/2/a~1b~0c", "request.extra_forbidden", "This field is not known here."),
    }
    for value in (b"secret-sku", b"3.777", b"hunter2", b"zzz"):
        assert value not in answer.body


def test_text_of_a_plain_value_error_is_not_repeated() -> None:
    found = [{"type": "value_error", "loc": ("body", "a"), "msg": "Value error, hunter2 is bad"}]

    errors = field_errors(found)

    assert errors == [
        FieldError("/a", "request.value_error", "This value is not valid here."),
    ]


def test_field_errors_are_limited_in_number() -> None:
    found = [{"type": "missing", "loc": ("body", n), "msg": ""} for n in range(1_000)]

    assert len(field_errors(found)) == 50


STRICT = [
    ("BI-001", b"", 400, "body.empty"),
    ("BI-002", b"{", 400, "payload.unparseable"),
    ("BI-005", b'{"a": NaN}', 422, "number.not_finite"),
    ("BI-006", b'{"a": 1e999}', 422, "number.out_of_range"),
    ("BI-015", b'{"a": 1, "a": 1}', 422, "payload.duplicate_key"),
    ("BI-019", b"[]", 422, "payload.not_object"),
    ("BI-029", '{"a": 1}'.encode("utf-16"), 400, "payload.encoding"),
    ("BI-030", b'{"a": "\xff"}', 400, "payload.encoding"),
    ("BI-075", b'{"a": "\\u0000"}', 422, "text.nul"),
    ("BI-076", b'{"a": "\\ud800"}', 422, "text.surrogate"),
]


@pytest.mark.parametrize(("case", "body", "status", "code"), STRICT)
def test_unreadable_body_is_400_and_rule_breaking_body_422(
    port: int, case: str, body: bytes, status: int, code: str
) -> None:
    lines = (*JSON_LINES, "Content-Length: 0") if not body else JSON_LINES

    answer = exchange(port, request("POST", "/strict", lines, body))

    assert (answer.status, answer.json["code"]) == (status, code), case


@pytest.mark.parametrize("line", ["Content-Type: text/plain", "X: no-type"])
def test_bi_027_own_api_refuses_a_body_that_does_not_say_json(port: int, line: str) -> None:
    answer = exchange(port, request("POST", "/strict", (f"Host: {HOST}", line), b"{}"))

    assert (answer.status, answer.json["code"]) == (415, "body.wrong_media_type")


def test_bi_060_two_layers_of_compression_are_refused(port: int) -> None:
    lines = (*JSON_LINES, "Content-Encoding: gzip, gzip")

    answer = exchange(port, request("POST", "/strict", lines, b"{}"))

    assert (answer.status, answer.json["code"]) == (415, "body.encoding_unsupported")


@pytest.mark.parametrize(
    ("name", "status", "code", "header"),
    [
        ("conflict", 409, "resource.conflict", None),
        ("forbidden", 403, "auth.forbidden", None),
        ("unauthorized", 401, "auth.required", ("www-authenticate", "Bearer")),
        ("unavailable", 503, "service.unavailable", ("retry-after", "7")),
    ],
)
def test_refusal_carries_status_code_words_and_headers(
    port: int, name: str, status: int, code: str, header: tuple[str, str] | None
) -> None:
    answer = _get(port, f"/refusals/{name}")

    assert (answer.status, answer.json["status"], answer.json["code"]) == (status, status, code)
    assert answer.json["detail"] == REFUSALS[name].detail
    assert answer.json["type"] == f"/problems/{code}"
    assert header is None or header in answer.headers.items()


def test_refusal_lists_its_field_errors(port: int) -> None:
    answer = _get(port, "/refusals/fields")

    assert answer.json["errors"] == [{"pointer": "/a", "code": "x.y", "detail": "Bad."}]


def test_unknown_path_and_wrong_method_are_problems(port: int) -> None:
    missing, wrong = _get(port, "/nowhere"), _get(port, "/baskets")

    assert (missing.status, missing.json["code"]) == (404, "resource.not_found")
    assert (wrong.status, wrong.json["code"]) == (405, "request.method_not_allowed")
    assert wrong.headers["allow"] == "POST"


def test_fault_is_recorded_once_under_the_id_in_the_answer(port: int) -> None:
    lines = BytesIO()
    start_logging(stream=lines)

    answer = _get(port, "/refusals/no-such-name")

    assert (answer.status, answer.json["code"]) == (500, "service.fault")
    assert set(answer.json) == {"type", "title", "status", "code", "detail", "id"}
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    faults = [line for line in told if line["event_name"] == "request.failed"]
    assert [line["fault_id"] for line in faults] == [answer.json["id"]]
    assert (faults[0]["error_type"], faults[0]["route"]) == ("KeyError", "/refusals/{name}")
    assert "test_problems.py" in faults[0]["error_at"]
    for spoken in (answer.body, lines.getvalue()):
        assert b"no-such-name" not in spoken


def test_body_that_never_comes_leaves_no_fault_of_ours(port: int) -> None:
    answer = exchange(
        port, request("POST", "/strict", (*JSON_LINES, "Transfer-Encoding: chunked")) + b"zz\r\n"
    )

    assert answer.status == 400


def test_problem_page_opens_for_every_code_as_json_and_html(port: int) -> None:
    for code, page in PROBLEMS.items():
        told = _get(port, f"/problems/{code}")
        shown = _get(port, f"/problems/{code}", "Accept: text/html,*/*;q=0.8")

        assert told.json == {
            "code": code,
            "title": page.title,
            "meaning": page.meaning,
            "way_out": page.way_out,
        }
        assert shown.headers["content-type"] == "text/html; charset=utf-8"
        assert shown.headers["content-security-policy"].startswith("default-src 'none'")
        assert f"<h1>{page.title}</h1>".encode() in shown.body
        assert b'<html lang="en">' in shown.body


def test_page_of_an_unknown_code_is_missing(port: int) -> None:
    answer = _get(port, "/problems/%3Cscript%3E")

    assert (answer.status, answer.json["code"]) == (404, "resource.not_found")


def test_no_page_and_no_refusal_names_the_product(port: int) -> None:
    spoken = json.dumps([[p.title, p.meaning, p.way_out] for p in PROBLEMS.values()])
    answers = [_get(port, f"/refusals/{name}") for name in REFUSALS]

    everything = spoken + "".join(f"{a.headers}{a.body!r}" for a in answers)

    assert "tillwire" not in everything.lower()


def test_every_code_of_the_strict_reader_has_a_page() -> None:
    missing = [code for code in WORDS if code not in PROBLEMS]

    assert missing == []


def test_one_code_cannot_mean_two_things() -> None:
    page = ProblemPage("Else", "Something else.", "Nothing.")

    with pytest.raises(ValueError, match=r"request\.invalid has two meanings"):
        add_problems({"request.invalid": page})

    assert PROBLEMS["request.invalid"].title == "Request not valid"
