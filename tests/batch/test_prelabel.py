"""What is stored is what a request would have stored; a second run has nothing to do."""

from dataclasses import replace

from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy.event import listens_for, remove

from ris.batch.engine import Engine
from ris.batch.prelabel import find_unanswered_tasks, prelabel_tasks
from ris.batch.work import Labeller
from ris.core.types import Image
from ris.store.records import find_alternatives, find_proposals
from tests.batch.fakes import MAKE, tasks
from tests.builders.fakes import squares
from tests.builders.late import Says, ShortSightedProposer, make_locating_pipeline, say_boxes
from tests.builders.services import NOW, task


class Here(Engine):
    """Does the work in this process."""

    def __init__(self):
        self.labeller, self.features = MAKE(), []

    def run(self, groups):
        for group in groups:
            self.features.append(group.image_url)
            yield self.labeller.work(group)


def run(database, found, engine):
    steps = prelabel_tasks(
        database,
        engine,
        find_unanswered_tasks(database, found, "fake-1"),
        version="fake-1",
        shuffled_share=0,
        now=lambda: NOW,
    )
    return [failed for _, wrong in steps for failed in wrong]


def test_stored_ahead_is_what_a_request_would_have_stored(database, suggesting, gate):
    gate.opened.set()
    asked = task()
    (answer,) = suggesting.suggest([asked], deadline_s=60)
    ahead = tasks("squares")

    assert run(database, ahead, Here()) == []

    with database.begin() as session:
        stored = find_alternatives(session, ahead[0], "fake-1")
    assert [(o.suggestion, o.place) for o in stored] == [(o.suggestion, o.place) for o in answer.alternatives]


def test_a_second_run_does_only_what_failed(database):
    engine, found = Here(), tasks("squares", "gone", "other")

    (failed,) = run(database, found, engine)
    again = Here()
    (still,) = run(database, found, again)

    assert (failed.task_id, "answered 404" in failed.reason) == (2, True)
    assert again.features == ["gone"]
    assert still == failed


def test_a_run_that_is_dropped_midway_is_gone_on_with(database):
    found = tasks("a", "b", "c")
    steps = prelabel_tasks(database, Here(), found, version="fake-1", shuffled_share=0, now=lambda: NOW)
    next(steps)
    steps.close()

    again = Here()
    run(database, found, again)

    assert again.features == ["b", "c"]


def test_planning_asks_the_database_once_per_block_of_tasks(database):
    done = [replace(task(n), expression=f"the red {n}") for n in range(1, 4)]
    assert run(database, done, Here()) == []
    changed = replace(done[0], expression="the blue")
    elsewhere = replace(done[1], project="2.1700000000")
    more = [replace(task(n), image_url=f"/{n}.png") for n in range(4, 2000)]
    queries = []

    @listens_for(DatabaseEngine, "before_cursor_execute")
    def count(connection, cursor, statement, *_):
        queries.append(statement)

    planned = [changed, done[1], elsewhere, done[2], *more]
    try:
        missing = find_unanswered_tasks(database, planned, "fake-1")
    finally:
        remove(DatabaseEngine, "before_cursor_execute", count)

    assert missing == [changed, elsewhere, *more]
    assert len([query for query in queries if query.startswith("SELECT")]) == 5
    assert find_unanswered_tasks(database, done, "fake-2") == done


def test_late_proposals_are_stored_ahead_too(database):
    engine = Here()
    words = Says(say_boxes((2, 2, 10, 10), side=32))
    pipeline = replace(make_locating_pipeline(words, ShortSightedProposer("red")), version="fake-1")
    engine.labeller = Labeller(lambda: (pipeline, lambda task: Image.from_pixels(squares())), None)
    (asked,) = tasks("squares")

    assert run(database, [asked], engine) == []

    with database.begin() as session:
        assert len(find_proposals(session, asked, "fake-1")) == 4
        assert find_alternatives(session, asked, "fake-1")[0].suggestion.late_method == "grounder"
