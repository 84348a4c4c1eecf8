"""An export reads what `read_decisions` reads, by pages, and with a number of queries that does not grow."""

from dataclasses import replace

import pytest
from sqlalchemy import event

from benchmarks.records import fill_database
from ris.errors import StoreError
from ris.store.export_pages import AnswerPages
from ris.store.history import read_decisions
from ris.store.session import Database
from tests.builders.postgres import new_database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request, tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('record') / 'ris.db'}"
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres"))
    fill_database(url, 300)
    database = Database.open(url)
    yield database
    database.close()


def read_whole(database, project=None):
    with database.begin() as session:
        return list(read_decisions(session, project=project))


@pytest.mark.parametrize("project", [None, "2.1700000000"])
def test_the_answers_are_those_of_the_record_in_its_order(database, project):
    pages, whole = AnswerPages(database, project=project), read_whole(database, project)
    listed = list(pages.list_answers())
    row_ids = [answer.row_id for answer in listed]

    without_images = [replace(one, image_digest=None, image_size=None) for one in whole]
    assert pages.find_decisions_of(row_ids) == without_images
    assert pages.find_answers(row_ids) == [replace(one, alternatives=()) for one in without_images]
    assert [(a.image_digest, a.image_size) for a in listed] == [(d.image_digest, d.image_size) for d in whole]
    assert [answer.task for answer in listed] == [one.correction.annotation.task for one in whole]


def test_the_order_of_the_ids_is_kept(database):
    pages = AnswerPages(database)
    row_ids = [answer.row_id for answer in pages.list_answers()][::-3]

    whole = pages.find_answers(row_ids)

    assert [pages.find_answers([row_id])[0] for row_id in row_ids[:5]] == whole[:5]


def test_a_page_takes_few_queries(database):
    pages = AnswerPages(database)
    row_ids = [answer.row_id for answer in pages.list_answers()]
    statements = []
    engine = database._engine
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

    pages.find_decisions_of(row_ids)

    assert len(statements) <= 6


def test_a_row_that_was_removed_is_a_sentence(database):
    with pytest.raises(StoreError, match="row 987654321 of the table correction was removed"):
        AnswerPages(database).find_answers([1, 987654321])
