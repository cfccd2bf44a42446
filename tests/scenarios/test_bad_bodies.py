"""Bodies that are authentic but broken: stored byte by byte and held; our own API refuses them.

Numbers are those of the bad-input catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.app.api.served import Served
from tests.scenarios.door import Door, open_door, written
from tests.scenarios.told import KeepingTarget
from tests.stage import Stage, order_event

ORDER = order_event(1)
TOTAL = '"total": "20.00"'
QUANTITY = '"quantity": "1"'
UNREADABLE = {
    "payload.empty",
    "payload.unparseable",
    "payload.wrong_media_type",
    "payload.encoding",
}


@dataclass(frozen=True)
class Bad:
    """One case: what is sent, the code it is held under, where the fault is (None: not told)."""

    number: str
    body: bytes
    code: str
    pointer: str | None = None


def _changed(number: str, old: str, new: str, code: str, pointer: str | None = None) -> Bad:
    return Bad(number, written(ORDER, (old, new)), code, pointer)


# What no JSON reader should pass; the API refuses it at the door, a webhook is held.
UNSOUND = [
    Bad("001 empty", b"", "payload.empty"),
    Bad("001 blank", b" \r\n", "payload.empty"),
    Bad("002 cut off", b"{", "payload.unparseable"),
    Bad("002 half an order", written(ORDER)[:200], "payload.unparseable"),
    Bad("004 more behind it", written(ORDER) + b"}", "payload.unparseable"),
    _changed("005 NaN", TOTAL, '"total": NaN', "number.not_finite", "/data/total"),
    _changed("005 Infinity", TOTAL, '"total": Infinity', "number.not_finite", "/data/total"),
    _changed("005 -Infinity", TOTAL, '"total": -Infinity', "number.not_finite", "/data/total"),
    _changed("006 1e999", TOTAL, '"total": 1e999', "number.out_of_range", "/data/total"),
    _changed("011 5000 digits", TOTAL, f'"total": {"9" * 5000}', "number.too_long", "/data/total"),
    Bad(
        "014 60,000 keys",
        written(ORDER, (TOTAL, TOTAL + "".join(f', "k{n}": 1' for n in range(60_000)))),
        "payload.too_many_items",
    ),
    _changed(
        "015 twice", TOTAL, f'{TOTAL}, "total": "21.00"', "payload.duplicate_key", "/data/total"
    ),
    _changed("017 long key", TOTAL, f'{TOTAL}, "{"k" * 300}": 1', "payload.key_too_long"),
    Bad("026 XML", b"<order><total>20.00</total></order>", "payload.wrong_media_type"),
    Bad("026 form", b"total=20.00&number=1", "payload.wrong_media_type"),
    Bad("029 UTF-16", written(ORDER).decode().encode("utf-16"), "payload.encoding"),
    Bad("029 UTF-32", written(ORDER).decode().encode("utf-32"), "payload.encoding"),
    Bad("030 not UTF-8", written(ORDER).replace(b"Scarf", b"Sc\xe4rf"), "payload.encoding"),
    Bad("030 overlong", written(ORDER).replace(b"Scarf", b"Sc\xc0\xafrf"), "payload.encoding"),
    Bad("075 NUL", written(ORDER, ("Scarf", "Sc\\u0000rf")), "text.nul"),
    Bad("076 surrogate", written(ORDER, ("Scarf", "Sc\\ud800rf")), "text.surrogate"),
    _changed("099 9 bytes", TOTAL, '"total": 1e100000', "number.out_of_range", "/data/total"),
    Bad("deep", b'{"a":' * 5000 + b"1" + b"}" * 5000, "payload.too_deep"),
]

# Sound JSON that breaks the contract: our API takes the envelope, what it carries is held.
UNFIT = [
    Bad("019 string", b'"order"', "payload.not_object"),
    Bad("019 number", b"7", "payload.not_object"),
    Bad("019 null", b"null", "payload.not_object"),
    _changed(
        "007 beyond any price",
        TOTAL,
        '"total": 99999999999999999999.99',
        "number.out_of_range",
        "/data/total",
    ),
    _changed(
        "009 exponent",
        QUANTITY,
        '"quantity": "1E+999999"',
        "number.exponent",
        "/data/lines/0/quantity",
    ),
    _changed("010 1e500", TOTAL, '"total": "1e500"', "number.exponent", "/data/total"),
    _changed(
        "010 5000 digits", TOTAL, f'"total": "{"9" * 5000}"', "number.too_long", "/data/total"
    ),
    _changed("021 no total", TOTAL, '"tot": "1"', "contract.missing_field", "/data/total"),
    _changed("021 null total", TOTAL, '"total": null', "contract.missing_field", "/data/total"),
    _changed(
        "022 three",
        QUANTITY,
        '"quantity": "three"',
        "contract.wrong_type",
        "/data/lines/0/quantity",
    ),
    _changed("022 true", TOTAL, '"total": true', "contract.wrong_type", "/data/total"),
    _changed("022 list", TOTAL, '"total": ["20.00"]', "contract.wrong_type", "/data/total"),
    _changed("024 1,10", TOTAL, '"total": "1,10"', "number.locale", "/data/total"),
    _changed("024 1.234,56", TOTAL, '"total": "1.234,56"', "number.locale", "/data/total"),
    _changed("095 USD", TOTAL, '"total": "20.00005"', "amount.scale", "/data/total"),
    _changed("091 one percent", TOTAL, '"total": "20.20"', "order.totals_differ", "/data/total"),
    _changed("100 no zone", '10:00:00+00:00"', '10:00:00"', "time.zone_missing", "/data/placed_at"),
    _changed("106 month 13", "2026-11-20T10:00:00+", "2026-13-20T10:00:00+", "time.invalid"),
    _changed("121 type", "retail.order.placed.v1", "retail.moon.v1", "event.type_unknown"),
    _changed(
        "122 version",
        "retail.order.placed.v1",
        "retail.order.placed.v9",
        "contract.version_unknown",
    ),
    _changed(
        "096 tiny",
        QUANTITY,
        '"quantity": "0.000000001"',
        "quantity.scale",
        "/data/lines/0/quantity",
    ),
    _changed(
        "096 2^63",
        QUANTITY,
        '"quantity": "9223372036854775808"',
        "number.out_of_range",
        "/data/lines/0/quantity",
    ),
    _changed(
        "022 kind", '"kind": "web"', '"kind": "pigeon"', "contract.value_unknown", "/data/kind"
    ),
    _changed(
        "021 no name", '"number": "#1"', '"number": ""', "contract.wrong_type", "/data/number"
    ),
    _changed("022 currency", '"USD"', '"$"', "currency.unknown", "/data/currency"),
]


UNFIT += [
    Bad(
        f"089 {code} {amount}",
        written(ORDER).replace(b'"USD"', f'"{code}"'.encode()).replace(b"20.00", amount.encode()),
        "amount.scale",
    )
    for code, amount in (("JPY", "10.50"), ("KWD", "1.2345"), ("CLP", "10.5"), ("USD", "1.005"))
]


@pytest.fixture
async def door(stage: Stage, target: KeepingTarget, served: Served) -> Door:
    return await open_door(stage, target, served)


@pytest.mark.parametrize("bad", [*UNSOUND, *UNFIT], ids=lambda bad: bad.number)
async def test_a_signed_but_broken_webhook_is_kept_as_it_came_and_held_alone(
    door: Door, bad: Bad
) -> None:
    answer = await door.webhook(bad.body)
    neighbour = await door.webhook(written(order_event(2)))
    await door.shop.work()

    assert (answer.status_code, neighbour.status_code) == (202, 202)
    assert await door.body_of(answer.json()["id"]) == bad.body
    (hold,) = await door.shop.holds()
    assert (hold["code"], hold["delivery_id"]) == (bad.code, None)
    assert bad.pointer is None or hold["pointer"] == bad.pointer
    assert hold["words"].endswith(".")
    assert [event["data"]["number"] for event in door.shop.target.events()] == ["#2"]
    assert await door.shop.unaccounted() == 0


@pytest.mark.parametrize("bad", UNSOUND, ids=lambda bad: bad.number)
async def test_the_api_refuses_an_unsound_body_by_code_and_stores_nothing(
    door: Door, bad: Bad
) -> None:
    answer = await door.api(bad.body)

    problem = answer.json()
    code = {"payload.empty": "body.empty"}.get(bad.code, bad.code)
    assert answer.status_code == (400 if bad.code in UNREADABLE else 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["status"]) == (code, answer.status_code)
    if bad.pointer is not None:
        assert [each["pointer"] for each in problem["errors"]] == [bad.pointer]
    assert await door.stored() == 0


@pytest.mark.parametrize(
    "bad",
    [bad for bad in UNFIT if bad.code != "payload.not_object"],
    ids=lambda bad: bad.number,
)
async def test_an_api_event_whose_object_is_unfit_is_stored_and_held(door: Door, bad: Bad) -> None:
    answer = await door.api(bad.body)
    await door.shop.work()

    assert answer.status_code == 202
    assert await door.body_of(answer.json()["id"]) == bad.body
    (hold,) = await door.shop.holds()
    assert hold["code"] == bad.code
    assert await door.shop.unaccounted() == 0


@pytest.mark.parametrize(
    ("number", "body", "pointer"),
    [
        ("019", b'"order"', ""),
        ("019", b"7", ""),
        ("019", b"null", ""),
        ("021", written(ORDER, ('"source": "source", ', "")), ""),
        ("022", written(ORDER, ('"id": "o-1-1"', '"id": 7')), ""),
        ("021", written(ORDER, ('"id": "o-1-1"', '"id": ""')), "/id"),
        ("086", written(ORDER, ("o-1-1", "i" * 6000)), "/id"),
        ("081", written(ORDER, ("o-1-1", "\u202egnp.exe")), "/id"),
        ("122", written(ORDER, ('"specversion": "1.0"', '"specversion": "0.3"')), "/specversion"),
        ("190", written(ORDER, ('"source": "source"', '"source": "nobody"')), "/source"),
    ],
)
async def test_the_api_refuses_a_wrong_envelope_with_a_pointer(
    door: Door, number: str, body: bytes, pointer: str
) -> None:
    answer = await door.api(body)

    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (422, 422)
    assert [each["pointer"] for each in problem["errors"]] == [pointer]
    assert await door.stored() == 0


async def test_in_a_batch_each_event_has_its_own_answer(door: Door) -> None:
    wrong = written(order_event(2), ('"source": "source"', '"source": "nobody"'))
    good = [written(order_event(n)) for n in (1, 3)]

    answer = await door.api(b"[" + b",".join([good[0], wrong, good[1]]) + b"]")
    await door.shop.work()

    assert answer.status_code == 202
    first, second, third = answer.json()["results"]
    assert (first["duplicate"], third["duplicate"]) == (False, False)
    assert (second["code"], second["pointer"]) == ("event.source_unknown", "/1/source")
    numbers = [event["data"]["number"] for event in door.shop.target.events()]
    assert sorted(numbers) == ["#1", "#3"]


@pytest.mark.parametrize(
    ("number", "title"),
    [
        ("082", "\U0001f9e3 Schal, écharpe, マフラー"),
        ("082", "e" + "\u0301" * 10_000),
        ("085", "<script>alert(1)</script>"),
        ("085", "{{7*7}} ${x} %s {0.__class__}"),
        ("087", "ok\r\n2026-11-20 INFO all is well"),
        ("077", "Cafe\u0301"),
    ],
)
async def test_odd_text_passes_unchanged(door: Door, number: str, title: str) -> None:
    event = order_event(1)
    event["data"]["lines"][0]["title"] = title

    answer = await door.webhook(written(event))
    await door.shop.work()

    assert answer.status_code == 202
    (told,) = door.shop.target.events()
    assert told["data"]["lines"][0]["title"] == title


@pytest.mark.parametrize(
    ("number", "old", "new"),
    [
        ("016", TOTAL, f'{TOTAL}, "__proto__": {{"x": 1}}, "constructor": 1'),
        ("020", TOTAL, f'{TOTAL}, "colour_of_the_sky": "blue"'),
        ("012", '"order_id": "o-1"', '"order_id": 9007199254740993'),
        ("007", TOTAL, '"total": 20.00'),
        ("086", '"order_id": "o-1"', f'"order_id": "{"o" * 6000}"'),
        ("107", "10:00:00+00:00", "10:00:00.123456789+00:00"),
        ("109", "2026-11-20T10:00:00+", "2031-11-20T10:00:00+"),
        ("025", QUANTITY, '"quantity": "-0"'),
    ],
)
async def test_unusual_but_sound_orders_are_delivered(
    door: Door, number: str, old: str, new: str
) -> None:
    answer = await door.webhook(written(ORDER, (old, new)))
    await door.shop.work()

    assert answer.status_code == 202
    (told,) = door.shop.target.events()
    assert told["data"]["total"] == "20.00"
    if number == "012":
        assert told["data"]["order_id"] == "9007199254740993"
    assert (await door.shop.holds(), await door.shop.unaccounted()) == ([], 0)


async def test_a_difference_of_a_cent_per_line_is_carried_as_rounding(door: Door) -> None:
    await door.webhook(written(ORDER, (TOTAL, '"total": "20.01"')))
    await door.shop.work()

    (told,) = door.shop.target.events()
    assert (told["data"]["total"], told["data"]["rounding"]) == ("20.01", "0.01")
