"""Run the migrations; `ris.store.session` passes the connection and the metadata."""

from alembic import context

connection, metadata = (context.config.attributes[name] for name in ("connection", "metadata"))
# The metadata holds the naming convention of the constraints.
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
