"""The composition root: one function for each kind of process; wiring only, nobody imports it."""

from __future__ import annotations

from app.cli.program import program


def api() -> None:
    """Run one web process until it is told to stop."""
    program(["web"])


def worker() -> None:
    """Run one worker until it is told to stop."""
    program(["worker"])


def scheduler() -> None:
    """Run one scheduler until it is told to stop."""
    program(["scheduler"])


def cli() -> None:
    """Run one command of the command line."""
    program()


if __name__ == "__main__":
    cli()
