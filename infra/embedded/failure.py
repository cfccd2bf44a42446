"""The one way in which embedded servers refuse: a sentence with the way out."""

from __future__ import annotations


class EmbeddedServersError(RuntimeError):
    """A server cannot be found, prepared, started or stopped; the text says what to do."""
