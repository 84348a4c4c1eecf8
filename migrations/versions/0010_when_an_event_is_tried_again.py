"""Add when an event that the database refused to record for a while is tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.add_column("event", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("event", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE failure SET cause = 'internal' WHERE cause = 'other'")


def downgrade() -> None:
    """Undo this revision."""
    op.execute("UPDATE failure SET cause = 'other' WHERE cause = 'internal'")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_column("retry_at")
        batch_op.drop_column("attempts")
