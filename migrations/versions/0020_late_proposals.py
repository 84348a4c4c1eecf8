"""Add proposals that were made for one expression, and the chance that it has no referent."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    # Compressed JSON; on SQLite such columns are declared as JSON, see `store.compressed_json`.
    late = sa.JSON() if op.get_bind().dialect.name == "sqlite" else sa.LargeBinary()
    op.add_column("task", sa.Column("late_proposals", late, nullable=True))
    op.add_column("suggestion", sa.Column("late_method", sa.String(length=40), nullable=True))
    op.add_column("suggestion", sa.Column("absence_chance", sa.Double(), nullable=True))
    op.add_column("suggestion", sa.Column("is_absence_prechosen", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Undo this revision."""
    with op.batch_alter_table("suggestion") as batch_op:
        batch_op.drop_column("is_absence_prechosen")
        batch_op.drop_column("absence_chance")
        batch_op.drop_column("late_method")
    with op.batch_alter_table("task") as batch_op:
        batch_op.drop_column("late_proposals")
