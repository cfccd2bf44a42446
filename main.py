"""The composition root: one function for each kind of process; wiring only, nobody imports it."""

from __future__ import annotations

from app.cli.program import program

# The layer above all others; imported by the web process alone, when it starts.
SCREENS = "portal.app:screens"


def api() -> None:
    """Run one web process until it is told to stop."""
    program(["web"], obj=SCREENS)


def worker() -> None:
    """Run one worker until it is told to stop."""
    program(["worker"])


def scheduler() -> None:
    """Run one scheduler until it is told to stop."""
    program(["scheduler"])


def cli() -> None:
    """Run one command of the command line."""
    program(obj=SCREENS)


if __name__ == "__main__":
    cli()
