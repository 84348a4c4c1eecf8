"""Add the tokens of webhooks, and which projects still have the token that was computed from the password."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision. The webhook of every project on record has a computed token."""
    table = op.create_table(
        "webhook_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_webhook_token_digest")),
    )
    with op.batch_alter_table("webhook_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_token_project"), ["project"])
    keys = op.get_bind().execute(
        sa.text("SELECT key FROM project UNION SELECT DISTINCT project FROM correction")
    )
    numbers = {key.partition(".")[0] for (key,) in keys}
    # isdecimal and ASCII: a key may be any text, and the column holds 32 bits.
    known = sorted(int(n) for n in numbers if n.isascii() and n.isdecimal() and int(n) < 2**31)
    if known:
        op.bulk_insert(table, [{"project": number, "digest": None} for number in known])


def downgrade() -> None:
    """Undo this revision."""
    op.drop_table("webhook_token")
