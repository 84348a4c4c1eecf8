"""Run by Alembic, with the connection and the metadata that `ris.store.session` gives it."""

from alembic import context

connection, metadata = (context.config.attributes[name] for name in ("connection", "metadata"))
context.configure(
    connection=connection, target_metadata=metadata, render_as_batch=True
)  # metadata: how constraints are named
with context.begin_transaction():
    context.run_migrations()
