"""Add the flag of the version of each answer that counts, and the tallies of these versions by day."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_IS_CURRENT = """
    NOT EXISTS (
        SELECT 1 FROM correction AS newer
        WHERE newer.project = correction.project AND newer.annotation_id = correction.annotation_id
        AND newer.updated_at > correction.updated_at)
    AND NOT EXISTS (
        SELECT 1 FROM deletion WHERE deletion.project = correction.project
        AND deletion.kind = 'annotation' AND deletion.gone_id = correction.annotation_id)
    AND NOT EXISTS (
        SELECT 1 FROM deletion WHERE deletion.project = correction.project
        AND deletion.kind = 'task' AND deletion.gone_id = correction.task_id)
    AND NOT EXISTS (
        SELECT 1 FROM failure WHERE failure.project = correction.project
        AND failure.annotation_id = correction.annotation_id AND failure.updated_at > correction.updated_at)
"""
_INDEXES = {
    "ix_correction_current": ["project", "task_id", "annotation_id"],
    "ix_correction_newest": ["updated_at", "id"],
}
_DAYS = {"sqlite": "date(updated_at)", "postgresql": "CAST(updated_at AT TIME ZONE 'UTC' AS date)"}


def upgrade() -> None:
    """Apply this revision."""
    op.add_column(
        "correction", sa.Column("is_current", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("correction", sa.Column("comparison", sa.JSON(), nullable=True))
    op.create_table(
        "tally",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("annotator", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n_decisions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project", "day", "annotator", "verdict", "rank", name=op.f("pk_tally")),
    )
    op.execute(f"UPDATE correction SET is_current = true WHERE {_IS_CURRENT}")
    day = _DAYS[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO tally (project, day, annotator, verdict, rank, n_decisions) "
        f"SELECT project, {day}, COALESCE(annotator, -1), verdict, COALESCE(rank, -1), count(*) "
        f"FROM correction WHERE is_current GROUP BY project, {day}, COALESCE(annotator, -1), verdict, "
        "COALESCE(rank, -1)"
    )
    # As SQLAlchemy writes the condition for each database: otherwise SQLite does not use the index.
    for_sqlite, for_postgresql = sa.text("is_current = 1"), sa.text("is_current")
    for name, columns in _INDEXES.items():
        op.create_index(name, "correction", columns, sqlite_where=for_sqlite, postgresql_where=for_postgresql)


def downgrade() -> None:
    """Undo this revision."""
    op.drop_index("ix_correction_newest", "correction")
    op.drop_index("ix_correction_current", "correction")
    op.drop_table("tally")
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_column("comparison")
        batch_op.drop_column("is_current")
