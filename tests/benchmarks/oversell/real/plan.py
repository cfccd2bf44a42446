"""What a run is: the world, how busy it is, where its systems listen, and which troubles it meets."""

from __future__ import annotations

import random

import msgspec

TILL, WEB, AMAZON, WALMART = "tills", "web", "amazon", "walmart"
ONLINE = (WEB, AMAZON, WALMART)
STORE = "1"


class Rates(msgspec.Struct, frozen=True):
    """A vendor's quota: calls a second and at once."""

    per_s: float
    burst: float


# Amazon's listings patch is published; Walmart's is assumed. The own web shop has none to speak of.
QUOTAS = {WEB: Rates(10_000.0, 100_000.0), AMAZON: Rates(5.0, 10.0), WALMART: Rates(10.0, 20.0)}


class Adverse(msgspec.Struct, frozen=True):
    """Troubles of a run; shares from 0 to 1 of all webhooks, times in seconds from its start.

    What is `lost` is told by the sweep after `sweep_s`. `dark`: from when to when the tickets of so
    many of a hundred tills wait. `refusing`: from when to when Amazon answers 429 and 503.
    """

    doubled: float = 0.0
    late: float = 0.0
    lost: float = 0.0
    sweep_s: float = 30.0
    dark: tuple[float, float, float] = (0.0, 0.0, 0.0)
    refusing: tuple[float, float] = (0.0, 0.0)


class Door(msgspec.Struct, frozen=True):
    """Where one system tells what happened: an address with its signing secret."""

    url: str
    secret: str


class Plan(msgspec.Struct, frozen=True):
    """One run on the running product.

    `ports` of the channels; `doors` of tills and channels. `shares` of demand are of tills, web shop,
    Amazon and Walmart. Customers come evenly, `lines_per_s`, for `seconds`.
    """

    folder: str
    ports: dict[str, int]
    doors: dict[str, Door]
    seed: int = 1
    skus: int = 20_000
    hot: int = 200
    hot_units: int = 300
    hot_share_0_1: float = 0.35
    tail_mean_units: float = 40.0
    lines_per_s: float = 40.0
    seconds: float = 600.0
    drain_s: float = 120.0
    pick_mean_s: float = 1_200.0
    shares: tuple[float, float, float, float] = (0.80, 0.12, 0.05, 0.03)
    adverse: Adverse = Adverse()

    def stock(self) -> dict[str, int]:
        """Give the units of each article at the start; the first `hot` ones sell fastest."""
        chance = random.Random(f"{self.seed}|stock")  # noqa: S311 - repeatable
        return {
            name_of(number): self.hot_units
            if number < self.hot
            else int(chance.expovariate(1 / self.tail_mean_units))
            for number in range(self.skus)
        }


def name_of(number: int) -> str:
    """Name an article by its number, from 0, as the emulated web shop does."""
    return f"MM-{number + 1:04d}"
