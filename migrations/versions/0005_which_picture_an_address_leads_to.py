"""Add the addresses of images, filled from the tasks answered so far."""

import hashlib
import posixpath
import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 1000


def upgrade() -> None:
    """Apply this revision."""
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
        key = _to_address_key(_to_address(reference, project))
        row = {"address": key, "project": project, "digest": digest, "seen_at": seen_at}
        known = found.setdefault((key, project, digest), row)
        known["seen_at"] = min(known["seen_at"], seen_at)  # type: ignore[type-var]
    rows = list(found.values())
    for start in range(0, len(rows), ROWS_AT_ONCE):
        op.bulk_insert(address, rows[start : start + ROWS_AT_ONCE])


def downgrade() -> None:
    """Undo this revision."""
    op.drop_table("address")


# A copy of the rules of `ris.core.address` at this revision: a migration does not change with the program.
FILE_KEY_PREFIX = "file."
SERVED_PATHS = re.compile(r"/(data/upload|data/local-files|storage-data|(api/)?tasks/\d+/(presign|resolve))/")
SIGNED_QUERY_PARAMETERS = re.compile(
    r"x-(amz|goog)-.*|awsaccesskeyid|googleaccessid|signature|expires|key-pair-id|policy"
    r"|sv|se|st|sp|sr|sig|sip|spr|ss|srt|sk(oid|tid|t|e|s|v)",
    re.IGNORECASE,
)
SIGNATURE_PARAMETERS = re.compile(r"(x-(amz|goog)-)?signature|sig", re.IGNORECASE)


def _to_address(reference: str, project: str) -> str:
    """Return the address of an image reference, the same for every way to write it."""
    reference = reference.strip()
    if reference.startswith("data:"):
        return reference
    try:
        parts = urlsplit(reference)
    except ValueError:
        return f"{project} {reference}"
    if parts.scheme in ("http", "https"):
        query = _drop_signature(parts.query)
        return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, query, ""))
    if parts.scheme:
        return reference
    if project.startswith(FILE_KEY_PREFIX) and not parts.path.startswith("/"):
        return f"{project} {reference}"
    path = _normalise_path(parts.path if parts.path.startswith("/") else "/data/" + parts.path)
    found = SERVED_PATHS.search(path)
    if parts.netloc or not found:
        return f"{project} {reference}"
    query = f"?{parts.query}" if parts.query else ""
    return path[found.start() :] + query


def _to_address_key(address: str) -> str:
    """Return the SHA-256 of an address."""
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()


def _normalise_path(path: str) -> str:
    seen = path
    while (plain := unquote(seen)) != seen:
        seen = plain
    return posixpath.normpath("/" + seen.lstrip("/"))


def _drop_signature(query: str) -> str:
    """Remove the parameters of a signature; an unsigned query stays as it is."""
    given = parse_qsl(query, keep_blank_values=True)
    if not any(SIGNATURE_PARAMETERS.fullmatch(name) for name, _ in given):
        return query
    return urlencode([(name, value) for name, value in given if not SIGNED_QUERY_PARAMETERS.fullmatch(name)])
