"""The emulated shop tells about its orders: signed webhooks, sent again until they are taken."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac

import aiohttp

from connectors.catalog.shopify.documents import API_VERSION
from connectors.catalog.shopify.emulator.orders import place_order
from connectors.catalog.shopify.emulator.state import ShopState

# Shopify tries eight times over four hours and wants an answer within five seconds.
# https://shopify.dev/docs/apps/build/webhooks/troubleshooting-webhooks, read 2026-11
_ATTEMPTS = 8
_TIMEOUT_S = 5.0
_IDLE_S = 0.02
_SENDERS = 4


async def run_shop(state: ShopState) -> None:
    """Take orders at the shop's pace and send webhooks until cancelled."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
        group.create_task(_sell(state))
        for _ in range(_SENDERS):
            group.create_task(_send_all(state, session))


def sign(secret: str, body: bytes) -> str:
    """Sign a body as Shopify does: base64 of HMAC-SHA256 keyed with the app's client secret."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


async def _sell(state: ShopState) -> None:
    while True:
        if state.orders_per_s > 0:
            place_order(state)
            state.keep()
            await asyncio.sleep(state.random.expovariate(state.orders_per_s))
        else:
            await asyncio.sleep(_IDLE_S)


async def _send_all(state: ShopState, session: aiohttp.ClientSession) -> None:
    while True:
        if not state.outbox or not state.hook_url:
            await asyncio.sleep(_IDLE_S)
            continue
        topic, body, webhook_id = state.outbox.popleft()
        await _send(state, session, topic, body, webhook_id)
        if state.faults.duplicate_webhooks > 0:
            state.faults.duplicate_webhooks -= 1
            await _send(state, session, topic, body, webhook_id)


async def _send(
    state: ShopState, session: aiohttp.ClientSession, topic: str, body: bytes, webhook_id: str
) -> None:
    headers = _headers(state, topic, body, webhook_id)
    for attempt in range(_ATTEMPTS):
        status = await _post(session, state.hook_url, headers, body)
        state.note(
            "webhook", topic=topic, webhook_id=webhook_id, attempt=attempt + 1, status=status
        )
        if status is not None and status < 300:  # noqa: PLR2004 - any 2xx is taken
            return
        await asyncio.sleep(state.retry_s * 2**attempt)
    state.note("webhook_given_up", topic=topic, webhook_id=webhook_id)


async def _post(
    session: aiohttp.ClientSession, url: str, headers: dict[str, str], body: bytes
) -> int | None:
    try:
        async with session.post(url, data=body, headers=headers) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return None


def _headers(state: ShopState, topic: str, body: bytes, webhook_id: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": sign(state.webhook_secret, body),
        "X-Shopify-Shop-Domain": state.shop_domain,
        "X-Shopify-API-Version": API_VERSION,
        "X-Shopify-Webhook-Id": webhook_id,
        "X-Shopify-Event-Id": webhook_id,
        "X-Shopify-Triggered-At": state.clock().isoformat().replace("+00:00", "Z"),
    }
