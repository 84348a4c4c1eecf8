"""Add the ranked proposals, the shown places, the size of an edit and the learned rankings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "proposals",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("masks", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_proposals")),
    )
    op.create_table(
        "learned",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("base", sa.String(length=80), nullable=False),
        sa.Column("coefficients", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learned")),
        sa.UniqueConstraint("version", name=op.f("uq_learned_version")),
    )
    op.create_index("ix_learned_base", "learned", ["base"])
    op.create_table(
        "use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("base", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_use")),
    )
    op.create_index(op.f("ix_use_base"), "use", ["base"])
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proposals", sa.String(length=64), nullable=True))
        batch_op.create_foreign_key(op.f("fk_task_proposals_proposals"), "proposals", ["proposals"], ["key"])
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.add_column(sa.Column("place", sa.Integer(), nullable=True))
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.add_column(sa.Column("added_px", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("removed_px", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("boundary_iou", sa.Double(), nullable=True))


def downgrade() -> None:
    """Undo this revision."""
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_column("boundary_iou")
        batch_op.drop_column("removed_px")
        batch_op.drop_column("added_px")
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.drop_column("place")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_task_proposals_proposals"), type_="foreignkey")
        batch_op.drop_column("proposals")
    op.drop_table("use")
    op.drop_table("learned")
    op.drop_table("proposals")
