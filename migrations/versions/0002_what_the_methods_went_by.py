"""Add what each method based its scores on."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "description",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("asked", sa.String(length=64), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_description")),
        sa.UniqueConstraint("digest", "asked", name="uq_description_asked"),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.add_column(sa.Column("explained", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.alter_column("explained", server_default=None)


def downgrade() -> None:
    """Undo this revision."""
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_column("explained")
    op.drop_table("description")
