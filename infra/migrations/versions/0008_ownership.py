"""Ownership: who may say what, and what others said."""

from __future__ import annotations

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make everything."""


def downgrade() -> None:
    """Remove what was added."""
