"""What the scheduler does for alerts: plan every two seconds, keep secrets readable."""

from __future__ import annotations

from app.health.alerts.content import NextStep
from app.health.alerts.gather import close_gatherings
from app.health.alerts.plan import plan_moments
from app.health.alerts.secrets import reseal_channels
from infra import clock
from infra.database.pool import Database
from infra.keys.vault import Vault, period_of

# A critical failure reaches people within 60 s: this, the wait for others, one poll of the sender.
PLAN_EVERY_S = 2.0


async def plan_alerts(database: Database, next_step: NextStep) -> None:
    """Make alerts of what happened, and fill in those that gathered long enough."""
    await plan_moments(database, next_step)
    await close_gatherings(database, next_step)


async def reseal_alert_secrets(database: Database, vault: Vault) -> None:
    """Seal the channels' secrets under this month's keys."""
    await reseal_channels(database, vault, period_of(clock.now()))
