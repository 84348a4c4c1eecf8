"""Let masks of proposals and explanations of tasks hold bytes: they are compressed from here on.

An index finds the tasks that name a set of proposals, so that sets without a task can be dropped.

SQLite holds bytes in any column, so nothing changes there. The rows that exist stay text, which is read too;
`ris db upgrade` compresses them after the migrations, a page in each transaction.
"""

import json
import zlib

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COLUMNS = (("proposals", "key", "masks"), ("task", "id", "explained"))


def upgrade() -> None:
    """Apply this revision."""
    op.create_index("ix_task_proposals", "task", ["proposals"])
    if op.get_bind().dialect.name == "postgresql":
        for table, _, column in _COLUMNS:
            op.execute(
                f"ALTER TABLE {table} ALTER COLUMN {column} TYPE bytea "
                f"USING convert_to({column}::text, 'UTF8')"
            )


def downgrade() -> None:
    """Undo this revision: every value becomes text again."""
    op.drop_index("ix_task_proposals", "task")
    connection = op.get_bind()
    for table, key, column in _COLUMNS:
        rows = connection.execute(sa.text(f"SELECT {key}, {column} FROM {table}")).all()
        change = sa.text(f"UPDATE {table} SET {column} = :stored WHERE {key} = :key")
        for at, stored in rows:
            text = stored if isinstance(stored, str) else bytes(stored)
            if isinstance(text, bytes) and text[:1] == b"\x78":
                text = zlib.decompress(text)
            text = json.dumps(json.loads(text))
            is_sqlite = connection.dialect.name == "sqlite"
            connection.execute(change, {"stored": text if is_sqlite else text.encode(), "key": at})
        if connection.dialect.name == "postgresql":
            op.execute(
                f"ALTER TABLE {table} ALTER COLUMN {column} TYPE json "
                f"USING convert_from({column}, 'UTF8')::json"
            )
