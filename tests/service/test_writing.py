from types import SimpleNamespace

from ris.errors import LabelStudioDenied
from ris.labelstudio.api.pushing import Pushing
from ris.service.writing import HOLD_WRITE, Outcome, Written, write
from ris.store.deliveries import hold, n_owed
from tests.labelstudio.api.test_pushing import CONTROLS, TASKS, parcel
from tests.labelstudio.predictions import PredictionStore
from tests.service.conftest import NOW


def now():
    return NOW


def test_what_somebody_else_writes_is_left_to_them(database):
    studio = PredictionStore([7, 8])
    with database.begin() as session:
        assert hold(session, [TASKS[0]], "v1", now=NOW, until=NOW + HOLD_WRITE) == [True]

    written = write(database, Pushing(studio), [parcel(t) for t in TASKS], CONTROLS, "v1", now=now)

    assert written == Written([Outcome.held, Outcome.stored], 3)
    assert (len(studio.of(7)), len(studio.of(8))) == (0, 3)


def test_a_task_that_is_refused_does_not_keep_the_others_out(database):
    studio = PredictionStore([7, 8])
    studio.refuses = {7}

    written = write(database, Pushing(studio), [parcel(t) for t in TASKS], CONTROLS, "v1", now=now)

    assert written == Written([Outcome.refused, Outcome.stored], 3)
    with database.begin() as session:
        assert n_owed(session) == 0


def test_what_was_not_heard_of_stays_owed(database):
    studio = PredictionStore([7])
    studio.fails = "before"

    written = write(database, Pushing(studio), [parcel(TASKS[0])], CONTROLS, "v1", now=now)

    assert written == Written([Outcome.unknown])
    with database.begin() as session:
        assert n_owed(session) == 1


def test_a_key_that_is_not_taken_loses_nothing(database):
    studio = PredictionStore([7, 8])

    def denied(method, path, body=None, **params):
        raise LabelStudioDenied(f"Label Studio answered 401 to {method} {path}")

    pushing = Pushing(SimpleNamespace(call=denied))
    written = write(database, pushing, [parcel(t) for t in TASKS], CONTROLS, "v1", now=now)

    assert written == Written([Outcome.unknown] * 2)
    later = write(
        database, Pushing(studio), [parcel(t) for t in TASKS], CONTROLS, "v1", now=lambda: NOW + HOLD_WRITE
    )
    assert later == Written([Outcome.stored] * 2, 6)
