"""Why work on one record stops early: an outcome that travels up to the connector as an exception."""

from __future__ import annotations

from connectors.sdk.outcome import Outcome, Rejected


class Stopped(Exception):
    """The outcome of the delivery is known before all its steps are done."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


class Refused(Stopped):
    """Tryton understood a call and will not do it; `words` are its own."""

    def __init__(self, outcome: Rejected) -> None:
        super().__init__(outcome)
        self.words = outcome.words


class Gone(Stopped):
    """The record that a call names is not there (any more)."""
