"""Payment card numbers go no further than the book; numbers that only look like them do (SR-19)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.pipeline.card_numbers import card_number_field
from connectors.catalog.http.emulator import Recorder, Target
from infra.database.pool import Database
from tests.stage import Retailer, Stage, open_stage, order_event

# Published by the card networks for tests; they belong to nobody.
VISA, AMEX, MASTERCARD = "4111111111111111", "378282246310005", "2223003122003222"

CARDS = [
    (f'{{"card_number": "{VISA}"}}', "card_number"),
    (f'{{"cardNumber":{VISA}}}', "cardNumber"),
    ('{"pan" : "4111 1111 1111 1111"}', "pan"),
    ('{"cc": "4111-1111-1111-1111"}', "cc"),
    ('{"ccNumber":"3782 822463 10005"}', "ccNumber"),
    (f'{{"creditCardNumber":"{AMEX}","total":"20.00"}}', "creditCardNumber"),
    (f'{{"PAN":"{MASTERCARD}"}}', "PAN"),
    (f'{{"brand":"visa","exp":"12/30","number":"{VISA}"}}', "number"),
    (f'{{"card":{{"exp":"12/30","number":"{VISA}"}}}}', "number"),
    (f"<Tender><CardNumber>{VISA}</CardNumber></Tender>", "CardNumber"),
    (
        f'<pos:PrimaryAccountNumber Kind="x"> {VISA}</pos:PrimaryAccountNumber>',
        "pos:PrimaryAccountNumber",
    ),
    (f'<Card Brand="Visa" Number="{VISA}"/>', "Number"),
    (f"order=17&card_number={VISA}", "card_number"),
    (f'{{"id":5500100200309,"lines":[{{"card_no":"{VISA}"}}]}}', "card_no"),
]
OTHERS = [
    f'{{"id":{VISA}}}',
    f'{{"order_number":"{VISA}"}}',
    '{"barcode":"04006381333931","gtin":"4006381333931"}',
    f'{{"tracking_number":"{VISA}"}}',
    f'{{"gift_card_number":"{VISA}"}}',
    f'{{"card_token":"{VISA}"}}',
    f'{{"company":"{VISA}","account":"{VISA}","discard":"{VISA}"}}',
    '{"card_number":"4111111111111112"}',
    '{"card_number":"•••• •••• •••• 4242"}',
    '{"card_number":"411111111111"}',
    f'{{"card_number":"{VISA}{VISA}"}}',
    f'{{"card_rate":0.{VISA}}}',
    '{"card_used_at":1795788000000}',
    f"MM-0001;{VISA};card",
    "",
]


@pytest.mark.parametrize(("body", "name"), CARDS)
def test_a_card_number_is_found_by_the_name_of_its_field(body: str, name: str) -> None:
    assert card_number_field(body.encode()) == name


@pytest.mark.parametrize("body", OTHERS)
def test_other_long_numbers_are_left_alone(body: str) -> None:
    assert card_number_field(body.encode()) is None


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[tuple[Stage, Retailer, Target]]:
    target = Target()
    async with Recorder(target) as recorder, open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url=recorder.url)
        await stage.give_secret(retailer, "target", ["signing_secret"])
        await stage.flow(retailer, "source", "target")
        yield stage, retailer, target


async def test_a_message_with_a_card_number_is_held_and_the_number_is_written_nowhere(
    shop: tuple[Stage, Retailer, Target], capfd: pytest.CaptureFixture[str]
) -> None:
    stage, retailer, target = shop
    paid = order_event(1, tenders=[{"kind": "card", "amount": "20.00", "card_number": VISA}])

    await stage.accept(retailer, "source", paid, order_event(2))
    async with stage.engine():
        await stage.rests(retailer)

    (hold,) = await stage.rows(retailer, "select * from hold")
    assert (hold["code"], hold["state"]) == ("pci.pan_found", "open")
    assert hold["words"].startswith('The field "card_number" holds a payment card number')
    assert sum(target.book.effects.values()) == 1
    assert VISA not in str(hold)
    assert VISA not in str(await stage.rows(retailer, "select * from message"))
    assert VISA.encode().hex() not in str(
        [
            row["sealed"].hex()
            for row in await stage.rows(retailer, "select sealed from message_body")
        ]
    )
    assert VISA not in "".join(capfd.readouterr())
