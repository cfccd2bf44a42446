"""What most teams write: one Dramatiq message per event, a sync actor, the row's state in PostgreSQL.

The same work for each event: read and check the order, sign it, post it, note the attempt, settle.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import sys
import threading
import time
from urllib.parse import urlsplit

import asyncpg
import dramatiq
from dramatiq.brokers.redis import RedisBroker

from connectors import registry
from connectors.canonical.event import encode
from connectors.sdk.message import RawMessage
from connectors.sdk.signatures import sign_standard
from infra import clock
from tests.benchmarks.load import Door, request
from tests.benchmarks.rows import BARE_TABLE

THREADS = 8
SECRET = "whsec_c2VjcmV0IG9mIHRoaXMgcHJvdG90eXBl"
_TAKE = "update bare set state = 'delivering', attempts = attempts + 1 where id = $1 returning body"
_NOTE = "insert into bare_attempt (id, at, outcome) values ($1, now(), 'delivered')"
_SETTLE = "update bare set state = 'delivered' where id = $1"


class Worker(threading.local):
    """What each thread keeps: a database connection with its loop, and a connection to the target."""

    def __init__(self, url: str, target: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.database = self.loop.run_until_complete(asyncpg.connect(url))
        parts = urlsplit(target)
        self.target = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def deliver(self, number: int) -> None:
        """Take the row, read it, post it, settle it."""
        body = self.loop.run_until_complete(self.database.fetchval(_TAKE, number))
        message = RawMessage(topic="event", body=body, received_at=clock.now())
        told = encode(registry.load("http").read(message).events[0])
        signed = sign_standard(SECRET, str(number), clock.unix_s(), told)
        headers = {"idempotency-key": str(number), "content-type": "application/json", **signed}
        self.target.request("POST", "/", body=told, headers=headers)
        self.target.getresponse().read()
        self.loop.run_until_complete(self._settle(number))

    async def _settle(self, number: int) -> None:
        async with self.database.transaction():
            await self.database.execute(_NOTE, number)
            await self.database.execute(_SETTLE, number)


async def seed(url: str, count: int, lanes: int) -> None:
    """Write the rows that are to be delivered."""
    connection = await asyncpg.connect(url)
    await connection.execute(BARE_TABLE)
    body = request("order", 1, Door("/", api_key="none")).partition(b"\r\n\r\n")[2]
    await connection.copy_records_to_table(
        "bare",
        records=[(number, number % lanes, body) for number in range(count)],
        columns=("id", "lane", "body"),
    )
    await connection.close()


def main(url: str, target: str, count: int, lanes: int) -> float:
    """Send one message for each row and work until all are done; gives the seconds of the work."""
    asyncio.run(seed(url, count, lanes))
    broker = RedisBroker(url=os.environ["REDIS_URL"])  # type: ignore[no-untyped-call]
    worker = Worker(url, target)
    left = threading.Semaphore(0)

    def deliver(number: int) -> None:
        worker.deliver(number)
        left.release()

    actor = dramatiq.actor(actor_name="deliver", queue_name="per_event", broker=broker)(deliver)
    for number in range(count):
        actor.send(number)
    running = dramatiq.Worker(broker, queues={"per_event"}, worker_threads=THREADS)
    started_s = time.perf_counter()
    running.start()
    for _ in range(count):
        left.acquire()
    took_s = time.perf_counter() - started_s
    running.stop()
    return took_s


if __name__ == "__main__":
    address, where, how_many, how_wide = sys.argv[1:]
    sys.stdout.write(str(main(address, where, int(how_many), int(how_wide))))
