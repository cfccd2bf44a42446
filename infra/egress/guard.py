"""The rule that no call leaves while a database transaction is open."""

from __future__ import annotations

from contextvars import ContextVar

# Set by the unit of work; read by the egress client before every request.
transaction_is_open: ContextVar[bool] = ContextVar("transaction_is_open", default=False)


def refuse_inside_transaction() -> None:
    """Raise RuntimeError when a transaction is open: a slow target would hold locks of the book."""
    if transaction_is_open.get():
        raise RuntimeError("egress inside a transaction")
