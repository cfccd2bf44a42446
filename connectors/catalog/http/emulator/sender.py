"""Run an emulated shop or warehouse: python -m connectors.catalog.http.emulator.sender --hook-url ...

It posts signed webhooks until each is taken, and writes a line of JSON for each: what it told, and
how often it had to. It is another system and never part of ours.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

import aiohttp

from connectors.catalog.http.emulator.told_orders import Story, Told
from connectors.sdk.signatures import sign_standard

SENDERS = 24
TIMEOUT_S = 10.0
AGAIN_AFTER_S = 0.2


def main() -> None:
    """Read the options, send everything, and end."""
    options = _parser().parse_args()
    story = Story(
        options.seed,
        options.kind,
        options.prefix,
        tuple(options.articles.split(",")),
        cancel_every=options.cancel_every,
    )
    numbers = iter(range(options.first, options.first + options.count))
    with options.log.open("a", encoding="utf-8") as log:
        asyncio.run(_send_all(options, story, numbers, log))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emulated-sender")
    parser.add_argument("--hook-url", required=True)
    parser.add_argument("--secret-file", type=Path, required=True, help="what to sign with")
    parser.add_argument("--kind", choices=("orders", "shipments"), default="orders")
    parser.add_argument("--prefix", default="W")
    parser.add_argument("--articles", default="A-1,A-2,A-3")
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--cancel-every", type=int, default=0)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    return parser


async def _send_all(
    options: argparse.Namespace, story: Story, numbers: Iterator[int], log: TextIOWrapper
) -> None:
    secret = options.secret_file.read_text(encoding="ascii").strip()
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:

        async def send() -> None:
            for n in numbers:
                for told in story.messages(n):
                    tries = await _until_taken(session, options.hook_url, secret, told)
                    log.write(json.dumps(_line(told, tries)) + "\n")

        for _ in range(SENDERS):
            tasks.create_task(send())


async def _until_taken(session: aiohttp.ClientSession, url: str, secret: str, told: Told) -> int:
    tries = 0
    while True:
        tries += 1
        headers = sign_standard(secret, told.id, int(time.time()), told.body)  # noqa: TID251
        headers["content-type"] = "application/cloudevents+json"
        try:
            async with session.post(url, data=told.body, headers=headers) as answer:
                if answer.ok:
                    return tries
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(AGAIN_AFTER_S)


def _line(told: Told, tries: int) -> dict[str, object]:
    return {
        "id": told.id,
        "number": told.number,
        "version": told.version,
        "amount": str(told.amount),
        "articles": told.articles,
        "tries": tries,
    }


if __name__ == "__main__":
    main()
