"""Prices and promotions: what is valid when, and how far it has come."""

from __future__ import annotations

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make everything."""


def downgrade() -> None:
    """Remove what was added."""
