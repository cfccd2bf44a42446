"""`python -m connectors.catalog.tryton.local FOLDER`: bring a local Tryton up until Ctrl+C."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date
from pathlib import Path

from connectors.catalog.tryton.local.catalogue import SAMPLE, read_catalogue
from connectors.catalog.tryton.local.launch import Plan, launch


def main() -> None:
    """Read the command line, launch, wait."""
    parser = argparse.ArgumentParser(prog="python -m connectors.catalog.tryton.local")
    parser.add_argument("folder", type=Path, help="where everything is kept")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--postgresql", default="", help="server URI; SQLite when left out")
    parser.add_argument("--catalogue", type=Path, help="JSON list of sku, name, price, stock, unit")
    parser.add_argument("--today", type=date.fromisoformat, required=True, help="YYYY-MM-DD")
    given = parser.parse_args()
    articles = read_catalogue(given.catalogue) if given.catalogue else SAMPLE
    started = time.monotonic()

    def report(line: str) -> None:
        sys.stdout.write(f"[tryton {time.monotonic() - started:5.1f}s] {line}\n")
        sys.stdout.flush()

    plan = Plan(given.folder, given.port, given.today, given.postgresql, articles)
    running = launch(plan, report)
    report(f"REST key in {running.key_file}; Ctrl+C stops")
    try:
        running.process.wait()
    except KeyboardInterrupt:
        running.stop()


if __name__ == "__main__":
    main()
