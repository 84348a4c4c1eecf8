"""The history of the schema, for Alembic: `ris db upgrade` runs it.

A change of `backend/ris/store/schema.py` adds a file to `versions`.
"""
