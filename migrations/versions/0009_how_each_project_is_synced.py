"""Add the state of the sync of each project: last success, last failure, and what was forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "sync_state",
        sa.Column("project", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_success", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failure", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("n_failures", sa.Integer(), nullable=False),
        sa.Column("is_missing", sa.Boolean(), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_sync_state")),
    )


def downgrade() -> None:
    """Undo this revision."""
    op.drop_table("sync_state")
