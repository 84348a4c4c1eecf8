"""Whatever people do between syncs, and wherever these are interrupted, the record is Label Studio's."""

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.errors import LabelStudioError
from ris.service import RecordingService, SyncService
from ris.store.history import read_decisions
from ris.store.session import Database, upgrade_database
from tests.builders.events import event
from tests.builders.services import NOW
from tests.builders.synced_studio import FORMAT, START, SyncedStudio

N_TASKS, N_ANNOTATORS = 4, 2


class Breaking(SyncedStudio):
    """Stops to answer after `n_left` calls; None answers all. `skew_s` is its clock's, of the header Date."""

    def __init__(self):
        super().__init__()
        self.n_left, self.skew_s = None, 0

    def call(self, method, path, body=None, **params):
        if self.n_left is not None:
            self.n_left -= 1
            if self.n_left < 0:
                raise LabelStudioError("Label Studio does not answer")
        return super().call(method, path, body, **params)

    def read_server_time(self):
        return super().read_server_time() + timedelta(seconds=self.skew_s)


@pytest.fixture(scope="module")
def empty():
    with tempfile.TemporaryDirectory() as folder:
        upgrade_database(f"sqlite:///{folder}/ris.db")
        yield Path(folder, "ris.db").read_bytes()


ANSWERS = st.integers(1, N_TASKS * N_ANNOTATORS)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["edit", "delete"]), ANSWERS),
        st.tuples(st.sampled_from(["remove task", "clear task"]), st.integers(1, N_TASKS)),
        st.tuples(st.just("sync"), st.none() | st.integers(0, 12)),
        st.tuples(st.just("wait"), st.integers(1, 300)),
        st.tuples(st.just("skew"), st.integers(-100, 100)),
    ),
    max_size=25,
)


def take_step(studio, syncing, step, value, versions):
    task = (value or 0) % N_TASKS + 1
    if step == "edit" and value not in versions.get("deleted", ()):
        versions[value] = versions.get(value, 0) + 1
        body = event([], number=value, seconds=versions[value], was_cancelled=True)
        studio.put(body | {"task": {"id": task, "data": {"image": "squares", "expression": "the red"}}})
    elif step == "delete":
        versions.setdefault("deleted", set()).add(value)  # Label Studio gives no number twice
        studio.delete(value)
    elif step == "remove task" and task in studio.tasks:
        versions.setdefault("deleted", set()).update(studio.tasks.pop(task)["annotations"])
    elif step == "clear task" and task in studio.tasks:
        # As Label Studio's action does in a time zone east of Greenwich: the task's time is in the future.
        cleared = studio.tasks[task]
        versions.setdefault("deleted", set()).update(cleared["annotations"])
        cleared["annotations"].clear()
        cleared["updated_at"] = f"{START + timedelta(hours=8, seconds=studio.moment):{FORMAT}}"
    elif step == "wait":
        studio.moment += value
    elif step == "skew":
        studio.skew_s = value
    elif step == "sync":
        studio.n_left = value
        try:
            syncing.sync(1)
        except LabelStudioError:
            assert value is not None
        studio.n_left = None


def in_label_studio(studio):
    return {
        number: annotation["updated_at"]
        for task in studio.tasks.values()
        for number, annotation in task["annotations"].items()
    }


def on_record(database):
    with database.begin() as session:
        answers = [decision.correction.annotation for decision in read_decisions(session)]
    return {one.annotation_id: f"{one.updated_at:%Y-%m-%dT%H:%M:%SZ}" for one in answers}


def run_steps(empty, steps):
    """Take the steps; return what is in Label Studio, and the record after a sync and after a full one."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "ris.db").write_bytes(empty)
        database = Database.open(f"sqlite:///{folder}/ris.db")
        recording = RecordingService(database, now=lambda: NOW)
        recording.start()
        studio, versions = Breaking(), {}
        syncing = SyncService(database, recording, studio, now=lambda: NOW)
        for step, value in steps:
            take_step(studio, syncing, step, value, versions)
        syncing.sync(1)
        after_sync = on_record(database)
        syncing.sync(1, compares_all=True)
        after_full = on_record(database)
        recording.close()
        database.close()
    return in_label_studio(studio), after_sync, after_full


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_any_order_of_edits_deletions_and_broken_syncs_ends_in_the_record_of_a_full_sync(empty, steps):
    steps = [step for step in steps if step[0] != "remove task"]  # of which nothing is listed

    there, after_sync, after_full = run_steps(empty, steps)

    assert after_sync == there
    assert after_full == there


@settings(deadline=None, max_examples=40)
@given(STEPS)
def test_a_full_sync_finds_removed_tasks_too(empty, steps):
    there, after_sync, after_full = run_steps(empty, steps)

    assert after_full == there
    assert after_sync.items() >= there.items()
