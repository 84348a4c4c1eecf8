"""Label Studio gets at most one set of predictions for each task and version, in any order of events."""

from concurrent.futures import Future
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import delete

from ris.core.types import Task
from ris.label_config import read
from ris.labelstudio.api.pushing import Parcel, PredictionWriter, get_first_region_id
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.region import make_alternatives
from ris.service.delivering import ANSWER_HOLD, FETCH_RETRY_DELAY, DeliveryService
from ris.service.suggesting import SuggestionResult
from ris.service.writing import WRITE_HOLD, WriteOutcome, write_parcels
from ris.store.deliveries import count_deliveries
from ris.store.records import save_project
from ris.store.schema import DeliveryRow
from ris.store.session import Database, upgrade_database
from ris.web.batch import PredictBatch, answer_one, answer_several
from tests.builders.alternatives import OFFERS
from tests.builders.services import NOW
from tests.labelstudio.predictions import PROJECT, PredictionStore

CONFIG = read("tabs_brush.xml")
CONTROLS = read_controls(CONFIG)
VERSION = "v1"


def task(number, words="mug"):
    return Task(number, PROJECT, "/a", words)


def offers(asked):
    return make_alternatives(asked, VERSION, [o.suggestion for o in OFFERS], shuffled_share=0)


class Computing:
    """Suggestions that become ready when the test says so; a restart forgets the others."""

    def __init__(self, clock):
        self.read_server_time, self.version = clock, VERSION
        self.worker = SimpleNamespace(is_stopping=False)
        self.jobs, self.kept = {}, set()

    def begin(self, entries, *, interactive=False):
        return [self._get_job(entry) for entry in entries]

    def _get_job(self, asked):
        job = self.jobs.get(asked) or self.jobs.setdefault(asked, Future())
        if asked in self.kept and not job.done():
            job.set_result(SuggestionResult(asked.task_id, offers(asked)))
        return job

    def finish(self, asked, **failed):
        job = self.jobs.pop(asked)
        if not failed:
            self.kept.add(asked)
        if not job.done():
            found = () if failed else offers(asked)
            job.set_result(SuggestionResult(asked.task_id, found, **failed))

    def wait(self, jobs, *, deadline_s):
        pass

    def make_late_result(self, entry, deadline_s):
        return SuggestionResult(entry.task_id, reason="late", cause="late")


class Clock:
    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at


def process(database, studio, clock):
    """A backend without its thread: `step` reads the outbox and writes what is ready."""
    return DeliveryService(database, Computing(clock), PredictionWriter(studio), now=clock, poll_s=0)


def step(delivering, *, first=False):
    from ris.store.deliveries import find_interrupted_deliveries

    with delivering.database.begin() as session:
        owed = find_interrupted_deliveries(session) if first else delivering._find_due_deliveries(session)
    for delivery in owed:
        delivering._resume(delivery)
    delivering.write_pending()


def batch(*tasks):
    return PredictBatch(tasks, [""] * len(tasks), CONTROLS, VERSION)


def sets(studio, number):
    """Return how often each of a task's predictions is stored."""
    ids = [get_first_region_id(p) for p in studio.of(number)]
    return {one: ids.count(one) for one in ids}


@pytest.fixture
def studio():
    return PredictionStore([1, 2, 3], CONFIG)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def delivering(database, studio, clock):
    with database.begin() as session:
        save_project(session, PROJECT, label_config=CONFIG, extra_params={}, now=NOW)
    return process(database, studio, clock)


def owed(delivering):
    with delivering.database.begin() as session:
        return count_deliveries(session)


def test_several_tasks_are_answered_empty_and_written_once_they_are_ready(delivering, studio):
    computing = delivering.suggesting
    told = answer_several(batch(task(1), task(2)), computing, delivering, 0)
    computing.finish(task(1))
    delivering.write_pending()

    assert [(one.predictions, one.cause) for one in told] == [([], "late"), ([], "late")]
    assert (len(studio.of(1)), len(studio.of(2)), owed(delivering)) == (3, 0, 1)
    computing.finish(task(2))
    delivering.write_pending()
    assert (len(studio.of(2)), owed(delivering)) == (3, 0)


def test_one_task_is_answered_with_its_predictions_and_nobody_else_writes_them_meanwhile(
    delivering, studio, clock
):
    computing = delivering.suggesting
    computing.kept.add(task(1))
    (told,) = answer_one(batch(task(1)), computing, delivering, 0)
    (again,) = answer_one(batch(task(1)), computing, delivering, 0)
    answer_several(batch(task(1), task(2)), computing, delivering, 0)
    delivering.write_pending()

    assert (len(told.predictions), told.cause) == (3, "")
    assert (again.predictions, again.cause) == ([], "")
    assert studio.of(1) == []
    for prediction in told.predictions:
        studio.store({"task": 1, **prediction})
    clock.at += ANSWER_HOLD
    step(delivering)
    assert len(studio.of(1)) == 3


def test_an_answer_that_got_lost_is_written_once_its_hold_is_over(delivering, studio, clock):
    delivering.suggesting.kept.add(task(1))
    answer_one(batch(task(1)), delivering.suggesting, delivering, 0)
    step(delivering)
    assert studio.of(1) == []

    clock.at += ANSWER_HOLD
    step(delivering)

    assert (len(studio.of(1)), owed(delivering)) == (3, 0)


def test_what_was_computed_when_the_server_stopped_is_computed_and_written_by_the_next(
    delivering, studio, clock
):
    answer_several(batch(task(1), task(2)), delivering.suggesting, delivering, 0)

    after = process(delivering.database, studio, clock)
    step(after, first=True)
    for number in (1, 2):
        after.suggesting.finish(task(number))
    after.write_pending()

    assert (len(studio.of(1)), len(studio.of(2)), owed(after)) == (3, 3, 0)


def test_what_cannot_be_looked_at_is_not_answered_but_written_later(delivering, studio, clock):
    computing = delivering.suggesting
    computing.kept.add(task(1))
    studio.fails = "before"
    (told,) = answer_one(batch(task(1)), computing, delivering, 0)

    clock.at += ANSWER_HOLD
    step(delivering)

    assert told.predictions == []
    assert (len(studio.of(1)), owed(delivering)) == (3, 0)


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_write_of_which_nothing_was_heard_is_looked_at_again(delivering, studio, clock, fails, caplog):
    delivering.suggesting.kept |= {task(1), task(2)}
    studio.call("GET", "/api/projects/1")
    answer_several(batch(task(1), task(2)), delivering.suggesting, delivering, 0)
    studio.fails = fails
    delivering.write_pending()
    assert "2 tasks may not be in Label Studio" in caplog.text

    step(delivering)
    clock.at += WRITE_HOLD
    step(delivering)

    assert all(set(sets(studio, number).values()) == {1} for number in (1, 2))
    assert owed(delivering) == 0


def test_what_label_studio_refuses_is_in_the_answer_and_no_longer_owed(delivering, studio):
    studio.refuses = {2}
    computing = delivering.suggesting
    computing.kept |= {task(1), task(2)}
    computing.wait = lambda jobs, *, deadline_s: delivering.write_pending()

    told = answer_several(batch(task(1), task(2)), computing, delivering, 0)

    assert [len(one.predictions) for one in told] == [0, 3]
    assert (len(studio.of(1)), len(studio.of(2)), owed(delivering)) == (3, 0, 0)


def test_a_task_that_cannot_be_answered_is_not_owed_and_a_missing_image_is_tried_again(
    delivering, studio, clock
):
    computing = delivering.suggesting
    answer_several(batch(task(1), task(2)), computing, delivering, 0)
    computing.finish(task(1), cause="no proposals", reason="none")
    computing.finish(task(2), cause="ImageUnreachable", reason="gone")
    assert owed(delivering) == 1

    step(delivering)
    assert task(2) not in computing.jobs
    clock.at += FETCH_RETRY_DELAY
    step(delivering)
    computing.finish(task(2))
    delivering.write_pending()

    assert (len(studio.of(2)), owed(delivering)) == (3, 0)


def test_what_the_database_refused_stays_owed_and_is_computed_again(delivering, studio):
    computing = delivering.suggesting
    answer_several(batch(task(1)), computing, delivering, 0)
    computing.finish(task(1), cause="StoreError", reason="the database refused: database is locked")
    assert owed(delivering) == 1

    for delivery in delivering._find_open_deliveries():
        delivering._resume(delivery)
    computing.finish(task(1))
    delivering.write_pending()

    assert owed(delivering) == 0
    assert set(sets(studio, 1).values()) == {1}


def test_what_is_owed_under_a_version_that_is_no_longer_used_comes_under_the_new_one(
    delivering, studio, clock
):
    answer_several(batch(task(1), task(2)), delivering.suggesting, delivering, 0)
    after = process(delivering.database, studio, clock)
    after.suggesting.version = "v2"

    step(after, first=True)

    with after.database.begin() as session:
        assert {row.version for row in session.query(DeliveryRow)} == {"v2"}


def test_a_project_of_another_label_studio_is_not_written(delivering):
    assert delivering.can_reach(PROJECT)
    assert not delivering.can_reach("1.1600000000")


NUMBERS = st.sampled_from([1, 2, 3])


class NeverTwice(RuleBasedStateMachine):
    """Two backends on one database, and a Label Studio that requests and stores at any time.

    It keeps to what the rules assume: it has stored an answer for one task before HOLD_ANSWER is over, and
    a write that it took without a word before HOLD_WRITE is.
    """

    @initialize()
    def begin(self):
        self.studio, self.read_server_time, self.asked = PredictionStore([1, 2, 3], CONFIG), Clock(), set()
        self.storing = []  # (until when, task, the predictions that are not stored yet)
        with DATABASE.begin() as session:
            session.execute(delete(DeliveryRow))
            save_project(session, PROJECT, label_config=CONFIG, extra_params={}, now=NOW)
        self.backends = [process(DATABASE, self.studio, self.read_server_time) for _ in range(2)]
        for backend in self.backends:
            backend.suggesting.kept |= {task(1), task(2)}  # computed before, as by `ris prelabel`

    def lacks(self, number):
        """Label Studio requests only tasks without a prediction of the version."""
        return not self.studio.of(number)

    def ask(self, which, answer, numbers):
        asked = [task(number) for number in numbers]
        self.asked |= set(numbers)
        backend = self.backends[which]
        told = answer(batch(*asked), backend.suggesting, backend, 0)
        for one, answered in zip(asked, told, strict=True):
            if answered.predictions:
                until = self.read_server_time.at + ANSWER_HOLD - timedelta(seconds=1)
                self.storing.append((until, one.task_id, list(answered.predictions)))

    @rule(whom=st.lists(st.integers(0, 1), min_size=1, max_size=3), number=NUMBERS, is_stale=st.booleans())
    def people_open_a_task_at_once(self, whom, number, is_stale):
        # They may have been stored since it decided to request them.
        if is_stale or self.lacks(number):
            for which in whom:
                self.ask(which, answer_one, [number])

    @rule(which=st.integers(0, 1), is_stale=st.booleans())
    def retrieve(self, which, is_stale):
        numbers = [number for number in (1, 2, 3) if is_stale or self.lacks(number)]
        if len(numbers) > 1:
            self.ask(which, answer_several, numbers)

    @rule(which=st.integers(0, 1), number=NUMBERS)
    def compute(self, which, number):
        computing = self.backends[which].suggesting
        if task(number) in computing.jobs:
            computing.finish(task(number))

    @precondition(lambda self: self.storing)
    @rule(data=st.data())
    def store_one_more(self, data):
        self._store(data.draw(st.sampled_from(self.storing)))

    @precondition(lambda self: self.storing)
    @rule()
    def store_all(self):
        while self.storing:
            self._store(self.storing[0])

    def _store(self, pending):
        _, number, predictions = pending
        self.studio.store({"task": number, **predictions.pop(0)})
        if not predictions:
            self.storing.remove(pending)

    @precondition(lambda self: self.storing)
    @rule(data=st.data())
    def lose_an_answer(self, data):
        self.storing.remove(data.draw(st.sampled_from(self.storing)))

    @rule(which=st.integers(0, 1))
    def write(self, which):
        step(self.backends[which])

    @rule(which=st.integers(0, 1), number=NUMBERS)
    def prelabel(self, which, number):
        self.asked.add(number)
        parcel = Parcel(task(number), offers(task(number)))
        write_parcels(
            DATABASE, PredictionWriter(self.studio), [parcel], CONTROLS, VERSION, now=self.read_server_time
        )

    @rule(fails=st.sampled_from(["before", "after"]))
    def do_not_answer(self, fails):
        self.studio.fails = fails

    @rule(which=st.integers(0, 1))
    def restart(self, which):
        kept = self.backends[which].suggesting.kept
        self.backends[which] = process(DATABASE, self.studio, self.read_server_time)
        self.backends[which].suggesting.kept = kept
        step(self.backends[which], first=True)

    @rule(seconds=st.sampled_from([1, 10, 29, 60, 200]))
    def time_passes(self, seconds):
        self.read_server_time.at += timedelta(seconds=seconds)
        for pending in [p for p in self.storing if p[0] <= self.read_server_time.at]:
            while pending in self.storing:
                self._store(pending)

    @invariant()
    def nothing_is_there_twice(self):
        if hasattr(self, "studio"):
            assert all(n == 1 for number in (1, 2, 3) for n in sets(self.studio, number).values())

    def teardown(self):
        if not hasattr(self, "studio"):
            return
        self.studio.fails = ""
        self.time_passes(200)
        for backend in self.backends:
            step(backend, first=True)
        for _ in range(3):
            self.time_passes(200)
            for backend in self.backends:
                for asked in list(backend.suggesting.jobs):
                    backend.suggesting.finish(asked)
                step(backend)
        with DATABASE.begin() as session:
            assert count_deliveries(session) == 0
        for number in self.asked:
            assert sorted(sets(self.studio, number).values()) == [1, 1, 1]


DATABASE: Database


@pytest.fixture(autouse=True, scope="module")
def shared(tmp_path_factory):
    global DATABASE
    url = f"sqlite:///{tmp_path_factory.mktemp('never-twice') / 'ris.db'}"
    upgrade_database(url)
    DATABASE = Database.open(url)
    yield
    DATABASE.close()


class TestNeverTwice(NeverTwice.TestCase):
    settings = settings(
        max_examples=60, stateful_step_count=30, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def test_the_holds_outlast_what_they_wait_for():
    from ris.assembly import WRITE_TIMEOUT_S

    assert timedelta(seconds=WRITE_TIMEOUT_S) < WRITE_HOLD
    assert WriteOutcome.answer != WriteOutcome.stored
