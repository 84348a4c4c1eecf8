import pytest

from ris.core.comparison import Comparison
from ris.errors import StoreError
from ris.labelstudio.failure import Failure
from ris.service.processed_event import ProcessedEvent, make_write_failures, write_event_state
from ris.store.claims import claim_new_events
from ris.store.failures import group_failures
from ris.store.inbox import count_events
from ris.store.inbox_writer import InboxEvent, InboxWriter
from tests.builders.records import NOW, correction

FAILURE = Failure("region", "annotation 5: its region is empty", "1.5", 7, 5, NOW)


@pytest.fixture
def number(database):
    """The number of a new event."""
    writer = InboxWriter(database, now=lambda: NOW)
    writer.start()
    writer.put(InboxEvent("1" * 64, "ANNOTATION_CREATED", "{}"))
    writer.close()
    with database.begin() as session:
        ((number, _),) = claim_new_events(session, limit=1)
    return number


@pytest.mark.parametrize(
    ("failures", "obstacle", "state"),
    [((), "", "done"), ((FAILURE,), "", "failed"), ((), "the database is locked", "new")],
)
def test_an_event_is_done_or_failed_or_tried_again(database, number, failures, obstacle, state):
    with database.begin() as session:
        write_event_state(session, ProcessedEvent(number, None, (), failures, obstacle), now=NOW)

    with database.begin() as session:
        assert count_events(session) == {"new": 0, "done": 0, "failed": 0} | {state: 1}
        assert [group.newest.sentence for group in group_failures(session)] == [f.sentence for f in failures]
        assert claim_new_events(session, limit=1, now=NOW) == []


def test_what_cannot_be_written_fails_for_each_answer_of_the_event():
    answers = [(correction(one), "v1", Comparison(0, (), None, (), {})) for one in (1, 2)]
    error = StoreError("a value is refused")

    found = make_write_failures(ProcessedEvent(9, None, answers, [FAILURE]), error)

    assert [one.annotation_id for one in found] == [1, 2, 5]
    assert {one.sentence for one in found[:2]} == {"a value is refused"}
    assert make_write_failures(ProcessedEvent(9, None), error) == [Failure.from_error(error)]
