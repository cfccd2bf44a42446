"""How long calls to one target take at present: a moving average."""

from __future__ import annotations

_WEIGHT = 0.1


class LoadSign:
    """The average of the latest calls, in seconds; unknown before the first."""

    def __init__(self) -> None:
        self.took_s = 0.0
        self._is_known = False

    def note(self, took_s: float) -> None:
        """Count one call."""
        self.took_s += (took_s - self.took_s) * (_WEIGHT if self._is_known else 1.0)
        self._is_known = True

    def is_quick(self, limit_s: float) -> bool:
        """Say whether calls are known to take less than this."""
        return self._is_known and self.took_s < limit_s
