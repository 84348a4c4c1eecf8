"""Events in any order, and repeated, lead to the same decisions."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ris.service import RecordingService
from ris.store.history import read_corrections, read_decisions
from ris.store.session import Database, upgrade_database
from tests.builders.events import PROJECT, box, event
from tests.builders.postgres import new_database
from tests.builders.services import NOW

KEY = "1.1700000000"


def told():
    """Two annotators' answers in three versions each; one of a third that is deleted; one skipped."""
    events = [
        event([box(10 * version)], number=number, seconds=version,
              action="ANNOTATION_CREATED" if version == 1 else "ANNOTATION_UPDATED")
        for number in (1, 2) for version in (1, 2, 3)
    ]  # fmt: skip
    events.append(event([box(40)], number=3, seconds=1))
    events.append({"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 3}], "project": PROJECT})
    events.append(event([box(50)], number=4, seconds=1, was_cancelled=True))
    bulk = event([box(60)], number=5, seconds=2)
    bulk |= {"action": "ANNOTATIONS_CREATED", "annotation": [bulk["annotation"]], "task": [bulk["task"]]}
    return [*events, bulk]


EVENTS = told()


def state_after(url, order):
    upgrade_database(url)
    database = Database.open(url)
    recording = RecordingService(database, now=lambda: NOW)
    recording.start()
    for index in order:
        recording.record(EVENTS[index])
    while recording.process_events():
        pass
    recording.close()
    with database.begin() as session:
        current = [
            (d.correction.annotation.annotation_id, d.correction.verdict, d.correction.annotation.mask)
            for d in read_decisions(session)
        ]
        history = {number: len(read_corrections(session, KEY, number)) for number in range(1, 6)}
    database.close()
    return current, history


def on_sqlite(factory, name):
    return f"sqlite:///{factory.mktemp(name) / 'ris.db'}"


ORDERS = (st.permutations(range(len(EVENTS))), st.lists(st.integers(0, len(EVENTS) - 1), max_size=6))
SLOW = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}


@settings(max_examples=25, **SLOW)
@given(*ORDERS)
def test_any_order_with_any_repeats_ends_in_the_same_state(tmp_path_factory, order, repeats):
    in_order = state_after(on_sqlite(tmp_path_factory, "in_order"), range(len(EVENTS)))

    assert state_after(on_sqlite(tmp_path_factory, "shuffled"), [*order, *repeats]) == in_order
    assert [number for number, _, _ in in_order[0]] == [1, 2, 4, 5]
    assert in_order[1] == {1: 3, 2: 3, 3: 1, 4: 1, 5: 1}


@settings(max_examples=8, **SLOW)
@given(*ORDERS)
def test_postgresql_ends_in_the_state_of_sqlite(tmp_path_factory, postgres, order, repeats):
    in_order = state_after(on_sqlite(tmp_path_factory, "in_order"), range(len(EVENTS)))

    assert state_after(new_database(postgres), [*order, *repeats]) == in_order
