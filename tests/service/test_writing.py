from dataclasses import replace
from types import SimpleNamespace

from ris.errors import LabelStudioDenied
from ris.labelstudio.api.pushing import PredictionWriter
from ris.service.writing import WRITE_HOLD, WriteOutcome, WriteResult, write_parcels
from ris.store.deliveries import count_deliveries, hold_tasks
from tests.builders.parcels import CONTROLS, TASKS, parcel
from tests.builders.services import NOW
from tests.labelstudio.predictions import PredictionStore


def now():
    return NOW


def test_what_somebody_else_writes_is_left_to_them(database):
    studio = PredictionStore([7, 8])
    with database.begin() as session:
        assert hold_tasks(session, [TASKS[0]], "v1", now=NOW, until=NOW + WRITE_HOLD) == [True]

    written = write_parcels(
        database, PredictionWriter(studio), [parcel(t) for t in TASKS], CONTROLS, "v1", now=now
    )

    assert written == WriteResult([WriteOutcome.held, WriteOutcome.stored], 3)
    assert (len(studio.of(7)), len(studio.of(8))) == (0, 3)


def test_a_task_that_is_refused_does_not_keep_the_others_out(database):
    studio = PredictionStore([7, 8])
    studio.refuses = {7}

    written = write_parcels(
        database, PredictionWriter(studio), [parcel(t) for t in TASKS], CONTROLS, "v1", now=now
    )

    assert written == WriteResult([WriteOutcome.refused, WriteOutcome.stored], 3)
    with database.begin() as session:
        assert count_deliveries(session) == 0


def test_one_refused_task_of_many_costs_two_calls_a_half(database):
    studio = PredictionStore(range(1, 65))
    studio.refuses = {37}
    tasks = [replace(TASKS[0], task_id=number) for number in range(1, 65)]

    written = write_parcels(
        database, PredictionWriter(studio), [parcel(t) for t in tasks], CONTROLS, "v1", now=now
    )

    refused = [t.task_id for t, o in zip(tasks, written.outcomes, strict=True) if o is WriteOutcome.refused]
    assert (refused, written.n_new) == ([37], 63 * 3)
    assert studio.calls["POST /api/projects/1/import/predictions"] == 1 + 2 * 6


def test_large_masks_are_written_in_several_calls(database, monkeypatch):
    monkeypatch.setattr("ris.service.writing.MAX_BYTES_PER_CALL", 1)
    studio = PredictionStore([7, 8])

    written = write_parcels(
        database, PredictionWriter(studio), [parcel(t) for t in TASKS], CONTROLS, "v1", now=now
    )

    assert written == WriteResult([WriteOutcome.stored] * 2, 6)
    assert studio.calls["POST /api/projects/1/import/predictions"] == 2


def test_what_was_not_heard_of_stays_owed(database):
    studio = PredictionStore([7])
    studio.fails = "before"

    written = write_parcels(database, PredictionWriter(studio), [parcel(TASKS[0])], CONTROLS, "v1", now=now)

    assert written == WriteResult([WriteOutcome.unknown])
    with database.begin() as session:
        assert count_deliveries(session) == 1


def test_a_key_that_is_not_taken_loses_nothing(database):
    studio = PredictionStore([7, 8])

    def denied(method, path, body=None, **params):
        raise LabelStudioDenied(f"Label Studio answered 401 to {method} {path}")

    pushing = PredictionWriter(SimpleNamespace(call=denied))
    written = write_parcels(database, pushing, [parcel(t) for t in TASKS], CONTROLS, "v1", now=now)

    assert written == WriteResult([WriteOutcome.unknown] * 2)
    later = write_parcels(
        database,
        PredictionWriter(studio),
        [parcel(t) for t in TASKS],
        CONTROLS,
        "v1",
        now=lambda: NOW + WRITE_HOLD,
    )
    assert later == WriteResult([WriteOutcome.stored] * 2, 6)
