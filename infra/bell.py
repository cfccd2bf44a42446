"""The bell: a Dramatiq message that says only "there is work"; it may be lost, doubled or forged.

Rung from a thread of its own, so that a slow or dead Redis never holds a request. Heard by a
Dramatiq worker inside each engine process, which only sets a wake-up. Redis away costs latency,
never data: engines look for work by themselves every second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from redis.exceptions import RedisError

QUEUE = "bell"
# Rings within this time are one ring.
PAUSE_S = 0.02
# How often an idle listener looks; Dramatiq's consumers poll Redis.
LISTEN_EVERY_MS = 50
# Orphaned messages are looked for in every command, not in one of a thousand (Dramatiq's default):
# they hold nothing, but should not pile up.
MAINTENANCE_ALWAYS = 1_000_000


def open_broker(redis_url: str) -> RedisBroker:
    """Connect lazily to Redis; nothing is sent yet. No middleware: a bell needs no retries."""
    return RedisBroker(  # type: ignore[no-untyped-call]
        url=redis_url,
        middleware=[],
        maintenance_chance=MAINTENANCE_ALWAYS,
        heartbeat_timeout=10_000,
        socket_timeout=2,
        socket_connect_timeout=2,
    )


class Bell:
    """Rings for engines in other processes; as a context manager it runs its own thread."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker
        self._rung = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
        broker.declare_queue(QUEUE)

    def ring(self) -> None:
        """Ask for a ring; returns at once, whatever Redis does."""
        self._rung.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._rung.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._rung.wait()
            self._rung.clear()
            if not self._stopped.is_set():
                self._send()
            self._stopped.wait(PAUSE_S)

    def _send(self) -> None:
        message: dramatiq.Message[None] = dramatiq.Message(
            queue_name=QUEUE, actor_name="ring", args=(), kwargs={}, options={}
        )
        try:
            self._broker.enqueue(message)
        except (dramatiq.errors.ConnectionError, RedisError, OSError):
            return  # nobody hears it; the engines look by themselves


class Listener:
    """Hears rings in an engine process and calls `heard` from a thread of Dramatiq's."""

    def __init__(self, broker: RedisBroker, heard: Callable[[], None]) -> None:
        self._heard = heard
        declare = dramatiq.actor(actor_name="ring", queue_name=QUEUE, broker=broker)
        declare(self._ring)
        self._worker = dramatiq.Worker(
            broker, queues={QUEUE}, worker_threads=1, worker_timeout=LISTEN_EVERY_MS
        )

    def _ring(self) -> None:
        self._heard()

    def __enter__(self) -> Self:
        self._worker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._worker.stop(timeout=2_000)
