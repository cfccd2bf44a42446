"""`tillwire demo monday`: the weekend, the morning, and a judge who knows neither of them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from app.demo.beside import unless
from app.demo.monday.ground import Ground, lay_ground
from app.demo.monday.judge import Verdict, judge
from app.demo.monday.morning import (
    Replayed,
    Seen,
    expected,
    mend_erp,
    preview,
    reconnect,
    replay,
    unaccounted,
    until_alerted,
    until_over,
    until_told,
)
from app.demo.monday.report import (
    checks_of_incidents,
    checks_of_targets,
    show_checks,
    show_incidents,
    show_replay,
)
from app.demo.monday.weekend import Happened, play_weekend
from app.demo.monday.world import Weekend
from app.demo.place import claimed
from app.demo.progress import Progress
from app.processes.signals import until_signal


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: every check in words, and the seconds from the first look to the last record."""

    checks: dict[str, bool]
    morning_s: float

    @property
    def is_good(self) -> bool:
        """Say whether all checks hold."""
        return bool(self.checks) and all(self.checks.values())


async def run_monday(folder: Path, weekend: Weekend, console: Console) -> Result:
    """Play it all on servers of its own in `folder`; what an earlier run left there is removed."""
    results: list[Result] = []

    async def play() -> None:
        async with AsyncExitStack() as stack:
            results.append(await _play(stack, folder, weekend, console))

    with claimed(folder), until_signal() as stop:
        await unless(stop, play())
    return results[0] if results else Result({}, 0.0)


async def _play(stack: AsyncExitStack, folder: Path, weekend: Weekend, console: Console) -> Result:
    progress = Progress(console)
    with progress.alive():
        ground = await lay_ground(stack, folder, progress)
        progress("Friday: all is well; then a wrong mapping, the ERP down, a token revoked")
        happened = await play_weekend(ground, weekend)
        progress(f"{happened.records:,} records do not arrive; the shops go on selling")
        seen = await until_told(ground, happened)
    began_s = progress.seconds()
    progress(f"[bold]Monday morning: {len(seen)} incidents[/]")
    show_incidents(console, seen)
    checks = checks_of_incidents(seen, expected(happened))
    with progress.alive():
        replayed = await _mend(ground, happened, seen, progress)
    show_replay(console, replayed)
    checks[f"receipt equals preview in {replayed.equal:,} of {replayed.of:,} records"] = (
        replayed.of == replayed.equal > 0
    )
    if replayed.equal < replayed.of:
        # What was not as promised stays open: there is nothing to wait for.
        show_checks(console, checks)
        return Result(checks, progress.seconds() - began_s)
    with progress.alive():
        progress("waiting until all has arrived and every incident has closed itself")
        await until_over(ground)
        told = await until_alerted(ground, len(seen))
    morning_s = progress.seconds() - began_s
    progress(f"[bold green]done[/], {morning_s:.0f} s after the first look")
    lost = await unaccounted(ground)
    checks |= {
        f"unaccounted in the books: {lost}": lost == 0,
        f"alerts: {told.opened} opened, {told.resolved} resolved": told.opened
        == told.resolved
        == len(seen),
        **checks_of_targets(_verdicts(ground, happened)),
    }
    show_checks(console, checks)
    return Result(checks, morning_s)


async def _mend(
    ground: Ground, happened: Happened, seen: list[Seen], progress: Progress
) -> Replayed:
    by_class = {each.error_class: each for each in seen}
    progress("1. the ERP is up again: its backlog goes out by itself")
    await mend_erp(ground)
    progress("2. the owner of the marketplace account follows the reconnect link")
    await reconnect(ground, by_class["auth"], happened)
    progress("3. the right table of article numbers is published; a replay is previewed")
    previewed = await preview(ground, by_class["data"])
    progress("   it is started, approved by a second person, and runs")
    return await replay(ground, previewed)


def _verdicts(ground: Ground, happened: Happened) -> list[Verdict]:
    told = {
        "maple-erp": happened.orders,
        "marketplace": happened.shipments,
        "northgate-erp": happened.northgate,
    }
    return [judge(name, ground.place.log_of(name), each) for name, each in told.items()]
