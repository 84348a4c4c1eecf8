"""What is loaded of a shard is what a request would have stored, and it is loaded once."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from ris.batch.load import FailedTask, load_shard
from ris.batch.plan import group_tasks
from ris.batch.shard import write_shard
from ris.batch.work import Labeller, make_failed_result
from ris.core.types import Absence, Task
from ris.labelstudio.region import make_alternatives
from ris.store.records import add_alternatives
from ris.store.schema import AddressRow, ImageRow, ProposalsRow, SuggestionRow, TaskRow
from ris.store.session import Database, upgrade_database
from tests.batch.fakes import MAKE, fetch, tasks
from tests.builders.late import Says, ShortSightedProposer, make_locating_pipeline, say_boxes
from tests.builders.services import NOW

TABLES = (ImageRow, AddressRow, ProposalsRow, TaskRow, SuggestionRow)


@pytest.fixture
def databases(empty_url, tmp_path):
    """A database to load into, and another one to compare with."""
    urls = empty_url, f"sqlite:///{tmp_path / 'other.db'}"
    found = []
    for url in urls:
        upgrade_database(url)
        found.append(Database.open(url))
    yield found
    for database in found:
        database.close()


def compute(asked, labeller=None):
    labeller = labeller or MAKE()
    return [labeller((group, fetch(group.tasks[0]))) for group in group_tasks(asked)]


def make_locating_labeller():
    """A labeller of a model that finds what the proposer missed, and says that it is there."""
    words = Says(say_boxes((2, 2, 10, 10), side=32))
    pipeline = replace(make_locating_pipeline(words, ShortSightedProposer("red")), version="fake-1")

    def label(one):
        result = Labeller(lambda: pipeline, None)(one)
        references = [
            replace(
                reference,
                suggestions=[replace(s, absence=Absence(0.25, True)) for s in reference.suggestions],
                scores=[replace(s, absence=-1.0) for s in reference.scores],
            )
            for reference in result.references
        ]
        return replace(result, references=references)

    return label


def load(database, path, share=0.0):
    return load_shard(database, path, shuffled_share=share, now=lambda: NOW)


def read_rows(database):
    with database.begin() as session:
        return {
            table.__tablename__: [
                tuple(row)
                for row in session.execute(
                    select(*table.__table__.columns).order_by(*table.__table__.primary_key)
                )
            ]
            for table in TABLES
        }


@pytest.mark.parametrize("make_labeller", [MAKE, make_locating_labeller])
def test_a_loaded_shard_is_what_requests_would_have_stored(databases, tmp_path, make_labeller):
    database, other = databases
    results = compute(tasks("a", "a", "b"), make_labeller())
    path = write_shard(tmp_path, "s", "fake-1", results)

    loaded = load(database, path, share=0.5)

    with other.begin() as session:
        for result in results:
            for task, reference in zip(result.group.tasks, result.references, strict=True):
                shown = make_alternatives(task, "fake-1", reference.suggestions, shuffled_share=0.5)
                add_alternatives(
                    session, task, result.digest, result.size, shown, version="fake-1",
                    method_scores=reference.scores, proposals=result.masks, late=reference.late, now=NOW,
                )  # fmt: skip
    assert read_rows(database) == read_rows(other)
    assert (loaded.n_images, loaded.n_tasks, loaded.n_new, loaded.failed) == (2, 3, 3, ())
    assert not path.exists()


def test_a_shard_that_is_loaded_twice_changes_nothing(databases, tmp_path):
    database, _ = databases
    results = compute(tasks("a", "b"))
    load(database, write_shard(tmp_path, "s", "fake-1", results))
    before = read_rows(database)

    again = load(database, write_shard(tmp_path, "s", "fake-1", results))

    assert (again.n_new, read_rows(database)) == (0, before)


def test_a_shard_that_has_a_stored_task_and_a_new_one_adds_the_new_one(databases, tmp_path):
    database, _ = databases
    first, second = tasks("a", "b")
    load(database, write_shard(tmp_path, "s", "fake-1", compute([first])))

    loaded = load(database, write_shard(tmp_path, "t", "fake-1", compute([first, second])))

    rows = read_rows(database)
    assert (loaded.n_tasks, loaded.n_new) == (2, 1)
    assert [row[2] for row in rows["task"]] == [1, 2]
    assert len(rows["suggestion"]) == 6


def test_failed_tasks_are_told_and_nothing_is_stored_of_them(databases, tmp_path):
    database, _ = databases
    (group,) = group_tasks(tasks("gone"))

    loaded = load(database, write_shard(tmp_path, "s", "v", [make_failed_result(group, "it is gone")]))

    assert loaded.failed == (FailedTask(1, "it is gone"),)
    assert not any(read_rows(database).values())


def test_a_value_that_the_database_refuses_costs_its_own_image(databases, tmp_path):
    database, _ = databases
    asked = [Task(2**70 if image == "bad" else 1, "1.1", image, "the red") for image in ("a", "bad", "b")]
    asked[1] = Task(2**63 - 1, "1.1", "bad", "the red")  # more than PostgreSQL's integer holds
    asked[2] = Task(3, "1.1", "b", "the red")

    loaded = load(database, write_shard(tmp_path, "s", "fake-1", compute(asked)))

    stored = [row[2] for row in read_rows(database)["task"]]
    if len(stored) == 3:  # SQLite takes it
        assert loaded.failed == ()
    else:
        assert stored == [1, 3]
        ((number, reason),) = [(one.task_id, one.reason) for one in loaded.failed]
        assert (number, reason[:28]) == (2**63 - 1, "the database refuses a value")
