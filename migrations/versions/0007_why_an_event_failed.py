"""Add the failures of events by cause, and the label configs of a project over time."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("annotation_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_failure_event_event")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure")),
    )
    with op.batch_alter_table("failure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_failure_event"), ["event"])
        batch_op.create_index("ix_failure_project_annotation_id", ["project", "annotation_id"])
    # Events that failed before causes were written down: `ris events replay` finds theirs.
    op.execute(
        "INSERT INTO failure (event, cause, sentence) "
        "SELECT id, 'other', COALESCE(error, '') FROM event WHERE state = 'failed'"
    )
    op.create_table(
        "label_config",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("label_config", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_config")),
        sa.UniqueConstraint("project", "digest", name="uq_label_config_text"),
    )


def downgrade() -> None:
    """Undo this revision."""
    op.drop_table("label_config")
    op.drop_table("failure")
