"""The ERP of the demo: a real Tryton, made on the first start, served on every one."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from app.demo.children import Child
from app.demo.left_overs import mark_of
from app.demo.place import Options
from app.demo.progress import Progress
from app.demo.world import Addresses, erp_articles
from connectors.catalog.tryton.local.failure import LocalTrytonError
from connectors.catalog.tryton.local.launch import Plan, Running, launch
from connectors.catalog.tryton.local.step import Watch
from infra import clock


async def bring_up_erp(
    options: Options, addresses: Addresses, owner_url: str, progress: Progress
) -> Running:
    """Install, make and serve what is missing of the ERP; cancelled, it ends what it began.

    Raises LocalTrytonError with the step, the cause and the way out.
    """
    plan = Plan(
        folder=options.data / "tryton",
        port=addresses.erp,
        today=clock.now().date(),
        server_uri=owner_url.rsplit("/", 1)[0] + "/",
        articles=erp_articles(),
    )
    is_given_up = threading.Event()
    watch = Watch(progress.moved, is_given_up.is_set, mark_of(options.data))
    launching = asyncio.get_running_loop().run_in_executor(None, launch, plan, progress, watch)
    try:
        return await asyncio.shield(launching)
    except asyncio.CancelledError:
        is_given_up.set()
        with suppress(LocalTrytonError):
            (await launching).stop()
        raise


def as_child(options: Options, running: Running) -> Child:
    """Describe the serving ERP, so that it can be started again when it dies."""
    command = [str(part) for part in _arguments(running)]
    folder = options.data / "tryton"
    return Child("erp", command, mark_of(options.data), folder, ends_last=True)


def _arguments(running: Running) -> list[object]:
    arguments = running.process.args
    return list(arguments) if isinstance(arguments, list | tuple) else [arguments]
