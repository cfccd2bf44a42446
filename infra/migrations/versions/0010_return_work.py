"""Returns: what the edge of the saga needs."""

from __future__ import annotations

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make everything."""


def downgrade() -> None:
    """Remove what was added."""
