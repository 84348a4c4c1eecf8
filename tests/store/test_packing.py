"""What earlier versions stored as text is compressed once, by pages."""

import json

import pytest
from sqlalchemy import text

from ris.store.packing import compress_old_rows
from ris.store.schema import ProposalsRow, TaskRow
from ris.store.session import Database, upgrade_database
from tests.builders.records import keep


@pytest.fixture
def old(empty_url):
    """A database with masks and explanations as text, as earlier versions stored them."""
    upgrade_database(empty_url)
    database = Database.open(empty_url)
    keep(database)
    with database.begin() as session:
        masks, explained = (
            json.dumps(["ab", "\\0cd"]),
            json.dumps({"lgd": {"scores": [0.25], "evidence": {}}}),
        )
        session.add(ProposalsRow(key="k", height=2, width=2, masks=[]))
        session.flush()
        for statement, value in (
            ("UPDATE proposals SET masks = :value", masks),
            ("UPDATE task SET explained = :value, proposals = 'k'", explained),
        ):
            is_sqlite = session.get_bind().dialect.name == "sqlite"
            session.execute(text(statement), {"value": value if is_sqlite else value.encode()})
    yield database
    database.close()


def read_all(database):
    with database.begin() as session:
        (explained,) = session.scalars(TaskRow.__table__.select().with_only_columns(TaskRow.explained))
        (masks,) = session.scalars(ProposalsRow.__table__.select().with_only_columns(ProposalsRow.masks))
        return masks, explained


def test_old_rows_are_read_and_compressed_once_without_a_change(old):
    before = read_all(old)

    assert before == (["ab", "\\0cd"], {"lgd": {"scores": [0.25], "evidence": {}}})
    assert sum(compress_old_rows(old)) == 2
    assert read_all(old) == before
    assert sum(compress_old_rows(old)) == 0


def test_compressing_that_was_interrupted_goes_on(old):
    before, pages = read_all(old), compress_old_rows(old)
    assert next(pages) == 1
    pages.close()

    assert sum(compress_old_rows(old)) == 1
    assert read_all(old) == before
