"""Databases on the PostgreSQL server of the tests."""

import itertools

import sqlalchemy

NUMBERS = itertools.count()


def new_database(server):
    """Return the URL of a new, empty database on PostgreSQL."""
    name = f"test{next(NUMBERS)}"
    server.psql(f"CREATE DATABASE {name};")
    return sqlalchemy.make_url(server.get_uri()).set(database=name).render_as_string(hide_password=False)
