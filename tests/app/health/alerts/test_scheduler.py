"""The scheduler as it runs tells people by itself, and stops in order."""

from __future__ import annotations

import asyncio
import signal

from infra.embedded.servers import Servers
from tests.app.health.alerts.desk import Desk, subjects
from tests.app.processes.test_telemetry import GUARD_S, process, says


async def test_a_running_scheduler_tells_of_a_critical_incident(
    desk: Desk, servers: Servers, database_urls: tuple[str, str]
) -> None:
    shop = await desk.shop(await desk.partner())
    await desk.channel(shop.scope)
    await desk.channel(shop.scope, "webhook")
    settings = {
        "TILLWIRE_MAIL_HOST": "127.0.0.1",
        "TILLWIRE_MAIL_PORT": str(desk.postbox.port),
        "TILLWIRE_MAIL_SECURITY": "none",
        "TILLWIRE_MAIL_FROM": "alerts@platform.example",
        "EGRESS_ALLOW": "127.0.0.1",
    }

    async with process("scheduler", servers, database_urls[1], **settings) as (running, log):
        await says(log, "scheduler.started")
        await desk.incident(shop, severity=3)
        async with asyncio.timeout(GUARD_S):
            while True:
                if desk.postbox.mails and desk.receiver.got:
                    break
                await asyncio.sleep(0.02)
        running.send_signal(signal.SIGTERM)
        await says(log, "scheduler.stopped")
        async with asyncio.timeout(GUARD_S):
            code = await running.wait()

    assert code == 0
    assert subjects(desk.postbox.mails)[0].startswith("Maple & Main: ERP has not answered since")
