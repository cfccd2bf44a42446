"""Webhook signatures: vectors, forgeries, rotation, time, and hostile headers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook as PyPiWebhook

from connectors.sdk.manifest import Webhook
from connectors.sdk.signatures import Refused, Verified, sign_standard, verify

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"the secret before this one").decode()
STANDARD = Webhook(scheme="standard_webhooks", topic="order")
SHOP = Webhook(
    scheme="hmac_sha256_base64",
    signature_header="x-shop-hmac",
    id_header="x-shop-id",
    topic_header="x-shop-topic",
    keep_headers=["x-shop-triggered-at", "x-shop-topic"],
)
HEX = Webhook(scheme="hmac_sha256_hex", signature_header="x-signature", topic="payment")
NOW_S = 1_795_000_000
BODY = b'{"order":"1042"}'
VECTORS = Path(__file__).parents[3] / "shared/samples/webhook-signatures/standard-webhooks.json"


def shop_headers(key: str = "client secret", body: bytes = BODY) -> dict[str, str]:
    digest = hmac.new(key.encode(), body, hashlib.sha256).digest()
    return {
        "x-shop-hmac": base64.b64encode(digest).decode(),
        "x-shop-id": "b54557e4-8a5f",
        "x-shop-topic": "orders/create",
        "x-shop-triggered-at": "2026-11-27T14:03:10.123Z",
        "x-unknown": "kept out",
    }


def hex_headers(key: str = "key") -> dict[str, str]:
    return {"x-signature": hmac.new(key.encode(), BODY, hashlib.sha256).hexdigest()}


def test_standard_webhook_that_we_sign_is_verified_with_its_id_and_time() -> None:
    headers = sign_standard(SECRET, "msg_1", NOW_S, BODY)

    result = verify(STANDARD, headers, BODY, [SECRET], NOW_S)

    assert result == Verified("msg_1", "order", "2026-11-18T11:06:40Z", {})


def test_our_signature_is_accepted_by_the_public_library_and_its_by_us() -> None:
    now = datetime.now(UTC)
    theirs = PyPiWebhook(SECRET).sign("msg_2", now, BODY.decode())
    ours = sign_standard(SECRET, "msg_2", int(now.timestamp()), BODY)

    PyPiWebhook(SECRET).verify(BODY, ours)

    assert ours["webhook-signature"] == theirs


def test_published_standard_webhooks_vectors_are_verified() -> None:
    if not VECTORS.exists():
        pytest.skip("the published vectors are not on this machine")
    for vector in json.loads(VECTORS.read_text())["vectors"]:
        headers = {
            "webhook-id": vector["id"],
            "webhook-timestamp": str(vector["timestamp"]),
            "webhook-signature": vector["signature"],
        }
        body = vector["body"].encode()

        result = verify(STANDARD, headers, body, [vector["secret"]], vector["timestamp"])

        assert isinstance(result, Verified) is vector["valid"]


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        (300, Verified),
        (-300, Verified),
        (301, Refused("signature.stale")),
        (-301, Refused("signature.future")),
    ],
)
def test_standard_webhook_is_taken_within_five_minutes_either_way(
    age_s: int, expected: object
) -> None:
    headers = sign_standard(SECRET, "msg_1", NOW_S - age_s, BODY)

    result = verify(STANDARD, headers, BODY, [SECRET], NOW_S)

    assert result == expected or expected is type(result)


@pytest.mark.parametrize(
    "timestamp",
    ["1795000000.5", "1.795e9", "1_795_000_000", "١٧٩٥٠٠٠٠٠٠", " 1795000000", "1795000000\n", "-1"],
)
def test_timestamp_that_is_not_plain_digits_is_malformed(timestamp: str) -> None:
    headers = sign_standard(SECRET, "msg_1", NOW_S, BODY) | {"webhook-timestamp": timestamp}

    assert verify(STANDARD, headers, BODY, [SECRET], NOW_S) == Refused("signature.malformed")


def test_both_secrets_open_during_a_rotation_and_only_the_new_one_after_it() -> None:
    headers = sign_standard(OLD_SECRET, "msg_1", NOW_S, BODY)

    during = verify(STANDARD, headers, BODY, [SECRET, OLD_SECRET], NOW_S)
    after = verify(STANDARD, headers, BODY, [SECRET], NOW_S)

    assert isinstance(during, Verified)
    assert after == Refused("signature.invalid")


def test_sender_in_rotation_may_sign_with_two_keys_in_one_header() -> None:
    old = sign_standard(OLD_SECRET, "msg_1", NOW_S, BODY)
    new = sign_standard(SECRET, "msg_1", NOW_S, BODY)
    headers = old | {"webhook-signature": f"{old['webhook-signature']} {new['webhook-signature']}"}

    assert isinstance(verify(STANDARD, headers, BODY, [SECRET], NOW_S), Verified)


def test_sixteen_candidates_are_compared_and_seventeen_are_refused() -> None:
    valid = sign_standard(SECRET, "msg_1", NOW_S, BODY)
    wrong = "v1," + base64.b64encode(bytes(32)).decode()
    sixteen = valid | {"webhook-signature": " ".join([wrong] * 15 + [valid["webhook-signature"]])}
    many = valid | {"webhook-signature": " ".join([wrong] * 999 + [valid["webhook-signature"]])}

    assert isinstance(verify(STANDARD, sixteen, BODY, [SECRET], NOW_S), Verified)
    assert verify(STANDARD, many, BODY, [SECRET], NOW_S) == Refused("signature.malformed")


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_signed_header_sent_twice_and_joined_is_refused(name: str) -> None:
    headers = sign_standard(SECRET, "msg_1", NOW_S, BODY)
    doubled = headers | {name: f"{headers[name]}, {headers[name]}"}

    assert verify(STANDARD, doubled, BODY, [SECRET], NOW_S) == Refused("signature.malformed")


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_standard_webhook_without_one_of_its_headers_is_missing_a_signature(name: str) -> None:
    headers = sign_standard(SECRET, "msg_1", NOW_S, BODY)
    del headers[name]

    assert verify(STANDARD, headers, BODY, [SECRET], NOW_S) == Refused("signature.missing")


def test_shop_webhook_gives_its_id_topic_time_and_only_the_kept_headers() -> None:
    result = verify(SHOP, shop_headers(), BODY, ["client secret"], NOW_S)

    assert result == Verified(
        "b54557e4-8a5f",
        "orders/create",
        "2026-11-27T14:03:10.123Z",
        {"x-shop-triggered-at": "2026-11-27T14:03:10.123Z", "x-shop-topic": "orders/create"},
    )


def test_shop_webhook_of_another_tenants_secret_is_refused() -> None:
    result = verify(SHOP, shop_headers("another shop's secret"), BODY, ["client secret"], NOW_S)

    assert result == Refused("signature.invalid")


def test_no_configured_secret_lets_nothing_through() -> None:
    empty_key = shop_headers("")

    assert verify(SHOP, shop_headers(), BODY, [], NOW_S) == Refused("signature.invalid")
    assert verify(SHOP, empty_key, BODY, [""], NOW_S) == Refused("signature.invalid")
    assert verify(STANDARD, sign_standard(SECRET, "m", NOW_S, BODY), BODY, ["whsec_"], NOW_S) == (
        Refused("signature.invalid")
    )


def test_hex_signature_is_verified_in_lower_case_only() -> None:
    headers = hex_headers()
    upper = {"x-signature": headers["x-signature"].upper()}

    assert verify(HEX, headers, BODY, ["key"], NOW_S) == Verified("", "payment", "", {})
    assert verify(HEX, upper, BODY, ["key"], NOW_S) == Refused("signature.malformed")


def test_system_that_cannot_sign_is_taken_as_it_is() -> None:
    assert verify(Webhook(topic="stock"), {}, BODY, [], NOW_S) == Verified("", "stock", "", {})


@pytest.mark.parametrize(
    ("webhook", "headers", "secret"),
    [
        (STANDARD, sign_standard(SECRET, "msg_1", NOW_S, BODY), SECRET),
        (SHOP, shop_headers(), "client secret"),
        (HEX, hex_headers(), "key"),
    ],
    ids=["standard", "base64", "hex"],
)
def test_every_single_bit_flip_of_body_and_signed_headers_is_refused(
    webhook: Webhook, headers: dict[str, str], secret: str
) -> None:
    signed = {"webhook-id", "webhook-timestamp", "webhook-signature", webhook.signature_header}

    for forged in flipped(BODY):
        assert isinstance(verify(webhook, headers, forged, [secret], NOW_S), Refused)
    for name in signed & headers.keys():
        for value in flipped(headers[name].encode()):
            forgery = headers | {name: value.decode("latin-1")}
            assert isinstance(verify(webhook, forgery, BODY, [secret], NOW_S), Refused)


def flipped(value: bytes) -> list[bytes]:
    return [
        value[:index] + bytes([value[index] ^ (1 << bit)]) + value[index + 1 :]
        for index in range(len(value))
        for bit in range(8)
    ]


anything = st.text(max_size=80) | st.sampled_from(["", "v1,", "v1,a b", "\x00", "\ud800", "9" * 99])


@settings(max_examples=5_000, deadline=None)
@given(
    webhook=st.sampled_from([STANDARD, SHOP, HEX]),
    headers=st.dictionaries(
        st.sampled_from(
            ["webhook-id", "webhook-timestamp", "webhook-signature", "x-shop-hmac", "x-shop-id",
             "x-shop-topic", "x-signature"]
        ),
        anything,
    ),
    secrets=st.lists(anything.filter(lambda text: text.isprintable()), max_size=3),
)  # fmt: skip
def test_hostile_headers_are_only_ever_refused(
    webhook: Webhook, headers: dict[str, str], secrets: list[str]
) -> None:
    assert isinstance(verify(webhook, headers, BODY, secrets, NOW_S), Refused)


@pytest.mark.parametrize("secret", ["whsec_not base64!", "", "whsec_"])
def test_signing_with_an_unreadable_secret_is_a_fault_of_ours(secret: str) -> None:
    with pytest.raises(ValueError, match="A signing secret is whsec_ followed by base64"):
        sign_standard(secret, "msg_1", NOW_S, BODY)
