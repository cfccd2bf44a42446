"""Send what is due: a few senders side by side, each for one channel at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from app.health.alerts.claim import (
    LeasedChannel,
    TakenAlert,
    lease_channel,
    release,
    settle,
    take_alert,
)
from app.health.alerts.content import for_machines, read
from app.health.alerts.notice import Channel, Notice, Notifier, Result, Told, TryLater
from app.health.alerts.secrets import unseal
from app.health.alerts.severity import NAMES
from app.health.alerts.words import worded
from infra import clock
from infra.database.pool import Database
from infra.errors import PlatformError
from infra.keys.vault import Vault
from infra.telemetry.events import log_event
from infra.telemetry.fields import register_fields
from infra.telemetry.tell_fault import tell_fault

SENDERS = 4
POLL_S = 1.0
# How long a sender stays with one channel; with one last try it must end before its lease does.
WORK_S = 40.0

register_fields(("alert", "channel", "kind"))


@dataclass(frozen=True, slots=True)
class AlertSender:
    """Hands alerts to the notifiers of their channels; at least once, each try under the same ids."""

    database: Database
    vault: Vault
    notifiers: Mapping[str, Notifier]

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(SENDERS):
                tasks.create_task(self._go_on())

    async def send_due(self) -> int:
        """Send what is due now, channel after channel; gives how many channels had something."""
        count = 0
        while (channel := await lease_channel(self.database)) is not None:
            count += 1
            await self._serve(channel)
        return count

    async def _go_on(self) -> None:
        while True:
            try:
                await self.send_due()
            except PlatformError:
                # The book is away for a moment; what is due stays due.
                pass
            except Exception as fault:  # noqa: BLE001 - a fault must not end all telling
                tell_fault("alert.sender_failed", fault)
            await asyncio.sleep(POLL_S)

    async def _serve(self, channel: LeasedChannel) -> None:
        """Tell a channel what is due, gravest first, until there is no more or it fails."""
        until_s = clock.monotonic_s() + WORK_S
        is_well = True
        while is_well and clock.monotonic_s() < until_s:
            alert = await take_alert(self.database, channel)
            if alert is None:
                break
            result = await self._tell(channel, alert)
            state = await settle(self.database, channel, alert, result, clock.now())
            _log(channel, alert, state, result)
            is_well = isinstance(result, Told)
        await release(self.database, channel, rests=not is_well)

    async def _tell(self, channel: LeasedChannel, alert: TakenAlert) -> Result:
        try:
            secrets = await self._secrets(channel)
            reached = Channel(channel.id, channel.kind, channel.address, secrets)
            return await self.notifiers[channel.kind].send(reached, notice_of(alert))
        except Exception as fault:  # noqa: BLE001 - one alert's fault must not stop the others
            tell_fault("alert.untold", fault, alert=alert.id, channel=channel.id)
            return TryLater("A fault of ours. It has been recorded.")

    async def _secrets(self, channel: LeasedChannel) -> tuple[SecretStr, ...]:
        if channel.sealed_secret is None or channel.secret_period is None:
            return ()
        key = await self.vault.of(channel.owner_id, channel.secret_period)
        return unseal(key, channel.id, channel.sealed_secret).in_use(clock.now())


def notice_of(alert: TakenAlert) -> Notice:
    """Put an alert in words, in the partner's voice."""
    content = read(alert.content)
    said = worded(alert.kind, content, alert.created_at)
    return Notice(
        id=alert.id,
        thread_id=alert.thread_id,
        kind=alert.kind,
        at=alert.created_at,
        subject=said.subject,
        lines=said.lines,
        entries=said.entries,
        link=_link(alert),
        data={"severity": NAMES[alert.severity], **for_machines(content)},
        voice=alert.voice,
    )


def _link(alert: TakenAlert) -> str:
    """Lead to the incident, or to all of them; to nothing where the partner has no portal."""
    if not alert.voice.portal_url or alert.kind == "test":
        return ""
    page = f"{alert.voice.portal_url}/incidents"
    return f"{page}/{alert.incident_id}" if alert.incident_id else page


def _log(channel: LeasedChannel, alert: TakenAlert, state: str, result: Result) -> None:
    """Write one line for each try; an alert that nobody will get needs a person now."""
    log_event(
        "alert.attempted",
        level="error" if state == "failed" else "info",
        alert=alert.id,
        channel=channel.id,
        kind=channel.kind,
        state=state,
        attempt=alert.tries,
        reason="" if isinstance(result, Told) else result.problem,
    )
