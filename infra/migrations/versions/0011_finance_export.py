"""Finance: journals on their way to the books, settlements on their way in."""

from __future__ import annotations

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make everything."""


def downgrade() -> None:
    """Remove what was added."""
