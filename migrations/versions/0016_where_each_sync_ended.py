"""Add where the sync of each project ended, and what was wrong with its webhook."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply this revision. The next sync of every project compares all answers."""
    with op.batch_alter_table("sync_state", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("watermark", _TIME, nullable=True))
        batch_op.add_column(sa.Column("digest", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("config_digest", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("compared_at", _TIME, nullable=True))
        batch_op.add_column(sa.Column("webhook_fault", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("webhook_fault_at", _TIME, nullable=True))
        batch_op.add_column(
            sa.Column("is_webhook_repaired", sa.Boolean(), server_default=sa.true(), nullable=False)
        )


def downgrade() -> None:
    """Undo this revision."""
    with op.batch_alter_table("sync_state", schema=None) as batch_op:
        for name in (
            "is_webhook_repaired", "webhook_fault_at", "webhook_fault", "compared_at", "config_digest",
            "digest", "watermark", "key",
        ):  # fmt: skip
            batch_op.drop_column(name)
