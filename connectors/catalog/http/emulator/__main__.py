"""Run the recording target alone: python -m connectors.catalog.http.emulator --port 8090."""

from __future__ import annotations

import argparse
import asyncio
import signal
from dataclasses import replace
from pathlib import Path

from uvicorn.loops.auto import auto_loop_factory

from connectors.catalog.http.emulator.book import Book
from connectors.catalog.http.emulator.faults import NAMES, Faults
from connectors.catalog.http.emulator.limits import RULES, Limit
from connectors.catalog.http.emulator.serve import Recorder
from connectors.catalog.http.emulator.target import Target


def main() -> None:
    """Read the options and serve on 127.0.0.1 until stopped (SIGTERM or Ctrl-C)."""
    options = _parser().parse_args()
    target = Target(
        book=Book(options.log, keeps_entries=False),
        faults=Faults(**{name: getattr(options, name) for name in NAMES}),
        seed=options.seed,
        secrets=tuple(options.secret),
        repeat_status=options.repeat_status,
        articles=frozenset(options.articles),
        limit=_limit(options),
    )
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_serve(Recorder(target, port=options.port)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="recording-target")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--secret", action="append", default=[], help="refuse what it did not sign")
    parser.add_argument("--repeat-status", type=int, default=200, choices=(200, 409))
    parser.add_argument("--articles", nargs="*", default=[], help="refuse all other articles")
    parser.add_argument("--limits", choices=sorted(RULES), help="answer 429 as this vendor does")
    parser.add_argument("--limit-rate", type=float, help="calls per second, not the vendor's own")
    parser.add_argument("--limit-burst", type=float, help="calls at once, not the vendor's own")
    for name in NAMES:
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=0.0)
    return parser


def _limit(options: argparse.Namespace) -> Limit | None:
    if options.limits is None:
        return None
    rule = RULES[options.limits]
    rate, burst = options.limit_rate or rule.rate_per_s, options.limit_burst or rule.burst
    return Limit(replace(rule, rate_per_s=rate, burst=burst))


async def _serve(recorder: Recorder) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    async with recorder:
        await stopped.wait()


if __name__ == "__main__":
    main()
