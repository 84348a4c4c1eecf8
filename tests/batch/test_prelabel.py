"""What is stored is what a request would have stored; a second run has nothing to do."""

from dataclasses import replace

from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy.event import listens_for, remove

from ris.batch.engine import Engine, FinishedShard
from ris.batch.manifest import read_blocks
from ris.batch.prelabel import find_unanswered_tasks, load_shards, plan_tasks, prelabel_tasks
from ris.batch.run_folder import RunFolder
from ris.batch.shard import write_shard
from ris.batch.work import Labeller, make_failed_result
from ris.store.records import find_alternatives, find_explanations, find_proposals
from tests.batch.fakes import MAKE, MAKE_FETCHER, tasks
from tests.builders.late import Says, ShortSightedProposer, make_locating_pipeline, say_boxes
from tests.builders.services import NOW, task


class EngineHere(Engine):
    """Does the work in this process."""

    def __init__(self):
        self.fetcher, self.labeller, self.images = MAKE_FETCHER(), MAKE(), []

    def run(self, folder):
        for block in read_blocks(folder.manifest):
            results = []
            for group in block.groups:
                self.images.append(group.image_url)
                image = self.fetcher(group)
                is_failed = isinstance(image, str)
                results.append(
                    make_failed_result(group, image) if is_failed else self.labeller((group, image))
                )
            yield FinishedShard(write_shard(folder.shards, block.name, block.version, results))


def start(database, folder, found, **options):
    """Plan and return the engine and the steps of a run."""
    engine = EngineHere()
    plan_tasks(database, found, "fake-1", folder.manifest, **options)
    steps = prelabel_tasks(database, engine, folder, shuffled_share=0, now=lambda: NOW)
    return engine, steps


def run(database, base, found):
    """Return the images that were computed, and the failed tasks."""
    with RunFolder(base, "1.1") as folder:
        engine, steps = start(database, folder, found)
        failed = [failed for _, loaded in steps for failed in loaded.failed]
        return engine.images, failed


def test_stored_ahead_is_what_a_request_would_have_stored(database, suggesting, gate, tmp_path):
    gate.opened.set()
    asked = task()
    (answer,) = suggesting.suggest([asked], deadline_s=60)
    ahead = tasks("squares")

    assert run(database, tmp_path, ahead) == (["squares"], [])

    with database.begin() as session:
        stored = find_alternatives(session, ahead[0], "fake-1")
    assert [(o.suggestion, o.place) for o in stored] == [(o.suggestion, o.place) for o in answer.alternatives]


def test_a_second_run_does_only_what_failed(database, tmp_path):
    found = tasks("squares", "gone", "other")

    images, (failed,) = run(database, tmp_path, found)
    again, (still,) = run(database, tmp_path, found)

    assert (failed.task_id, "answered 404" in failed.reason) == (2, True)
    assert (images, again) == (["squares", "gone", "other"], ["gone"])
    assert still == failed


def test_a_run_that_is_dropped_midway_is_gone_on_with(database, tmp_path):
    found = tasks("a", "b", "c")
    with RunFolder(tmp_path, "1.1") as folder:
        _, steps = start(database, folder, found, images_per_block=1)
        next(steps)
        steps.close()

    assert run(database, tmp_path, found) == (["b", "c"], [])


def test_a_shard_that_was_written_and_not_loaded_is_loaded_and_not_computed_again(database, tmp_path):
    found = tasks("a", "b")
    with RunFolder(tmp_path, "1.1") as folder:
        engine, _ = start(database, folder, found)
        list(engine.run(folder))

    with RunFolder(tmp_path, "1.1") as folder:
        loaded = list(load_shards(database, folder.shards, shuffled_share=0, now=lambda: NOW))

    assert [one.n_new for one in loaded] == [2]
    assert run(database, tmp_path, found) == ([], [])
    assert not any(path.is_dir() for path in tmp_path.iterdir())


def test_a_shard_that_is_written_again_after_it_was_loaded_changes_nothing(database, tmp_path):
    with RunFolder(tmp_path, "1.1") as folder:
        engine, steps = start(database, folder, tasks("a", "b"))
        _, loaded = next(steps)
        list(engine.run(folder))  # as a cluster does with a block of a lost node
        rest = list(steps)

        assert (loaded.n_new, rest, list(folder.shards.iterdir())) == (2, [], [])


def test_planning_asks_the_database_once_per_block_of_tasks(database, tmp_path):
    done = [replace(task(n), expression=f"the red {n}") for n in range(1, 4)]
    assert run(database, tmp_path, done) == (["squares"], [])
    changed = replace(done[0], expression="the blue")
    elsewhere = replace(done[1], project="2.1700000000")
    more = [replace(task(n), image_url=f"/{n}.png") for n in range(4, 2000)]
    queries = []

    @listens_for(DatabaseEngine, "before_cursor_execute")
    def count(connection, cursor, statement, *_):
        queries.append(statement)

    planned = [changed, done[1], elsewhere, done[2], *more]
    try:
        missing = list(find_unanswered_tasks(database, planned, "fake-1"))
    finally:
        remove(DatabaseEngine, "before_cursor_execute", count)

    assert missing == [changed, elsewhere, *more]
    assert len([query for query in queries if query.startswith("SELECT")]) == 5
    assert list(find_unanswered_tasks(database, done, "fake-2")) == done


def test_late_proposals_are_stored_ahead_too(database, tmp_path):
    words = Says(say_boxes((2, 2, 10, 10), side=32))
    pipeline = replace(make_locating_pipeline(words, ShortSightedProposer("red")), version="fake-1")
    (asked,) = tasks("squares")

    with RunFolder(tmp_path, "1.1") as folder:
        engine, steps = start(database, folder, [asked])
        engine.labeller = Labeller(lambda: pipeline, None)
        assert [failed for _, loaded in steps for failed in loaded.failed] == []

    with database.begin() as session:
        assert len(find_proposals(session, asked, "fake-1")) == 4
        (first, *_) = find_alternatives(session, asked, "fake-1")
        assert first.suggestion.late_method == "grounder"
        (said,) = [one for one in find_explanations(session, asked, "fake-1") if one.method == "grounder"]
        assert len(said.scores) == 4
