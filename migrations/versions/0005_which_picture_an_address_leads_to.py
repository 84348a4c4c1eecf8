"""Which picture an address leads to, filled from the tasks that were answered"""

import sqlalchemy as sa
from alembic import op

from ris.core.address import to_address, to_address_key

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 1000


def upgrade() -> None:
    address = op.create_table(
        "address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["image.digest"], name=op.f("fk_address_digest_image")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
        sa.UniqueConstraint("address", "project", "digest", name="uq_address_digest"),
    )
    task = sa.table(
        "task",
        sa.column("project", sa.String),
        sa.column("image_url", sa.Text),
        sa.column("image_digest", sa.String),
        sa.column("answered_at", sa.DateTime(timezone=True)),
    )
    keys = (task.c.project, task.c.image_url, task.c.image_digest)
    query = sa.select(*keys, sa.func.min(task.c.answered_at)).group_by(*keys)
    found: dict[tuple[str, str, str], dict[str, object]] = {}
    for project, reference, digest, seen_at in op.get_bind().execute(query):
        key = to_address_key(to_address(reference, project))
        row = {"address": key, "project": project, "digest": digest, "seen_at": seen_at}
        known = found.setdefault((key, project, digest), row)
        known["seen_at"] = min(known["seen_at"], seen_at)  # type: ignore[type-var]
    rows = list(found.values())
    for start in range(0, len(rows), ROWS_AT_ONCE):
        op.bulk_insert(address, rows[start : start + ROWS_AT_ONCE])


def downgrade() -> None:
    op.drop_table("address")
