"""Add the indexes by which the page finds the newest decisions of a project, an annotator or a verdict."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_COLUMNS = ("project", "annotator", "verdict")


def upgrade() -> None:
    """Apply this revision."""
    # As SQLAlchemy writes the condition for each database: otherwise SQLite does not use the index.
    for_sqlite, for_postgresql = sa.text("is_current = 1"), sa.text("is_current")
    for column in _COLUMNS:
        op.create_index(
            f"ix_correction_{column}_newest", "correction", [column, "updated_at", "id"],
            sqlite_where=for_sqlite, postgresql_where=for_postgresql,
        )  # fmt: skip


def downgrade() -> None:
    """Undo this revision."""
    for column in reversed(_COLUMNS):
        op.drop_index(f"ix_correction_{column}_newest", "correction")
