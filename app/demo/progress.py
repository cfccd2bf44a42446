"""What the demo says on its way up: a line for each step, and a sign of life while one takes long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from infra import clock

QUIET_AT_MOST_S = 4.0
LOOK_EVERY_S = 0.5
WORKING = "working"


@dataclass(slots=True)
class Progress:
    """Says each step with the seconds since the start; may be called from any thread."""

    console: Console
    _started_s: float = field(default_factory=clock.monotonic_s)
    _step: str = WORKING
    _step_s: float = field(default_factory=clock.monotonic_s)
    _where: str = ""
    _said_s: float = field(default_factory=clock.monotonic_s)

    def __call__(self, words: str) -> None:
        """Say a step that begins, or a fact that holds from now on."""
        self._step, self._where, self._step_s = words, "", clock.monotonic_s()
        self._say(words)

    def moved(self, where: str) -> None:
        """Note where the present step is; shown with the next sign of life."""
        self._where = where

    def seconds(self) -> float:
        """Give the seconds since the command was given."""
        return clock.monotonic_s() - self._started_s

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Show while the block runs that it does: a moving line, or without a terminal one at times."""
        if self.console.is_terminal:
            with Live(self, console=self.console, refresh_per_second=8, transient=True):
                yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self._repeat, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def __rich__(self) -> Spinner:
        return Spinner("dots", Text(self._present(), overflow="ellipsis", no_wrap=True))

    def _repeat(self, ended: threading.Event) -> None:
        while not ended.wait(LOOK_EVERY_S):
            if clock.monotonic_s() - self._said_s >= QUIET_AT_MOST_S:
                self._say(f"... {self._present()}")

    def _present(self) -> str:
        taken = f"{clock.monotonic_s() - self._step_s:.0f} s"
        return ", ".join(part for part in (self._step, self._where, taken) if part)

    def _say(self, words: str) -> None:
        self._said_s = clock.monotonic_s()
        line = Text.assemble((f"{self.seconds():6.1f} s  ", "dim"), Text.from_markup(words))
        self.console.print(line, soft_wrap=True)
