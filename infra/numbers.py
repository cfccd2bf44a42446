"""How exactly a process reckons: no amount is rounded on the way, however long it is."""

from __future__ import annotations

import decimal

# Amounts come with up to 30 digits; a product or a sum of them must not lose its cents. Python's own
# 28 would round silently, and no error would tell.
PRECISION_DIGITS = 60


def keep_numbers_exact() -> None:
    """Reckon with 60 digits in this thread and in all that start later; safe to repeat."""
    decimal.DefaultContext.prec = PRECISION_DIGITS
    decimal.getcontext().prec = PRECISION_DIGITS
