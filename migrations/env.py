"""Run by Alembic, with the connection that `backend.store.session` gives it."""

from alembic import context

from backend.store.schema import Table

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
