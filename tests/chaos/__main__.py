"""Kill servers and workers under load and prove that nothing was lost: python -m tests.chaos."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from tests.chaos.cases import CASES
from tests.chaos.plan import FULL, Plan
from tests.chaos.run import Figures, keeps_folder, run

FULL_RUNS = 3


def main() -> None:
    """Run one plan, or the full one for three seeds and every case; exit code 1: a promise broken."""
    options = _parser().parse_args()
    if options.only:
        sys.exit(0 if _cases(options.only, as_json=options.json) else 1)
    seeds = [options.seed if options.seed is not None else secrets.randbelow(10**6)]
    if options.full and options.seed is None:
        seeds = [secrets.randbelow(10**6) for _ in range(FULL_RUNS)]
    is_kept = True
    for seed in seeds:
        figures = _run(_plan(options, seed))
        _say(figures, as_json=options.json)
        is_kept = is_kept and not figures.violations
    if options.full:
        is_kept = _cases(list(CASES), as_json=options.json) and is_kept
    sys.exit(0 if is_kept else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tillwire chaos")
    for name in ("events", "kills", "postgres-kills", "clients", "tenants", "lanes", "seed"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument(
        "--full", action="store_true", help="50,000 events, 200 kills, three seeds; all cases"
    )
    words = "; ".join(f"{name}: {case.words}" for name, case in CASES.items())
    parser.add_argument("--only", action="append", choices=CASES, help=words)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    return parser


def _plan(options: argparse.Namespace, seed: int) -> Plan:
    told = {
        name: getattr(options, name)
        for name in ("events", "kills", "postgres_kills", "clients", "tenants", "lanes")
        if getattr(options, name) is not None
    }
    return replace(FULL if options.full else Plan(), seed=seed, **told)


def _cases(names: list[str], *, as_json: bool) -> bool:
    """Run cases one after the other, all of them whatever happens."""
    return not [name for name in names if not _case(name, as_json=as_json)]


def _case(name: str, *, as_json: bool) -> bool:
    """Run one case whole and print what it found; says whether every promise was kept."""
    with _folder() as folder:
        figures = asyncio.run(CASES[name].figures(folder))
    sys.stdout.write(json.dumps({"case": name, **figures}) + "\n")
    if not as_json:
        words = "; ".join(figures["violations"]) or "every promise was kept"
        if figures.get("marks_missed"):
            words += f" (mark missed: {'; '.join(figures['marks_missed'])})"
        sys.stdout.write(f"{name}: {words}\n")
    sys.stdout.flush()
    return not figures["violations"]


def _run(plan: Plan) -> Figures:
    with _folder() as folder:
        return asyncio.run(run(plan, folder))


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tillwire-chaos-"))
    # The servers run under an account of their own when this one is root; they must get in.
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if keeps_folder():
            sys.stderr.write(f"logs are kept in {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _say(figures: Figures, *, as_json: bool) -> None:
    sys.stdout.write(json.dumps(asdict(figures)) + "\n")
    if not as_json:
        words = "; ".join(figures.violations) or "every promise was kept"
        if figures.marks_missed:
            words += f" (mark missed: {'; '.join(figures.marks_missed)})"
        sys.stdout.write(f"seed {figures.seed}: {words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
