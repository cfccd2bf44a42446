"""What one chaos run does: how much is sent, who is killed when; the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Victim = Literal["web", "worker-1", "worker-2", "scheduler", "redis", "postgres"]

# Workers twice, because two run: each process is equally likely to be hit.
OTHERS: tuple[Victim, ...] = ("web", "worker-1", "worker-2", "scheduler", "redis")
FLUSH_SHARE_0_1 = 0.5
# Kills lie between these shares of the work done, so that each of them meets load.
FIRST_KILL_0_1, LAST_KILL_0_1 = 0.03, 0.95


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL: due when this share of the work is done; `flushes` empties Redis afterwards."""

    at_0_1: float
    victim: Victim
    flushes: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. A client owns its lanes alone and belongs to one tenant.

    `load_s` and `drain_s` bound the sending and what follows it (seconds); beyond them something hangs.
    """

    events: int = 2_000
    kills: int = 12
    postgres_kills: int = 2
    clients: int = 40
    tenants: int = 20
    lanes: int = 400
    seed: int = 1
    drain_s: float = 60.0
    load_s: float = 150.0

    def __post_init__(self) -> None:
        if not 0 <= self.postgres_kills <= self.kills:
            raise ValueError("PostgreSQL cannot be killed more often than all together.")
        if not 1 <= self.tenants <= self.clients <= self.lanes <= self.events:
            raise ValueError("Needed: 1 <= tenants <= clients <= lanes <= events.")

    def lanes_of(self, client: int) -> list[str]:
        """Name the lanes of one client: t<tenant>-l<lane>."""
        tenant = self.tenant_of(client)
        mine = range(client, self.lanes, self.clients)
        return [f"t{tenant:03}-l{lane:05}" for lane in mine]

    def tenant_of(self, client: int) -> int:
        """Say which tenant a client sends for."""
        return client % self.tenants

    def uses_hook(self, client: int) -> bool:
        """Say whether a client knocks at the hook or shows an API key; half of them each."""
        return client < self.clients // 2

    def versions(self, lane: str) -> range:
        """Give the versions that a lane sends, from 1; all lanes together send `events`."""
        number = int(lane.rpartition("l")[2])
        each, more = divmod(self.events, self.lanes)
        return range(1, each + (number < more) + 1)

    def schedule(self) -> list[Kill]:
        """Draw who is killed when, in order of time."""
        rng = random.Random(self.seed)  # noqa: S311 - repeatable by seed
        victims: list[Victim] = ["postgres"] * self.postgres_kills
        victims += [rng.choice(OTHERS) for _ in range(self.kills - self.postgres_kills)]
        rng.shuffle(victims)
        moments = sorted(rng.uniform(FIRST_KILL_0_1, LAST_KILL_0_1) for _ in victims)
        return [
            Kill(at, victim, victim == "redis" and rng.random() < FLUSH_SHARE_0_1)
            for at, victim in zip(moments, victims, strict=True)
        ]


FULL = Plan(events=50_000, kills=200, postgres_kills=20, drain_s=300.0, load_s=1_500.0)
