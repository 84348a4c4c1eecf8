"""Text that no database accepts is repaired, and the decision is recorded."""

import pytest

from ris.service import RecordingService
from ris.store.history import read_decisions
from ris.store.inbox import count_events
from ris.store.session import Database
from tests.builders.events import box, event
from tests.builders.services import NOW

DEEP = []
for _ in range(400):
    DEEP = [DEEP]


@pytest.fixture
def database(url):
    """On SQLite and on PostgreSQL."""
    database = Database.open(url)
    yield database
    database.close()


@pytest.mark.parametrize(
    "odd",
    ["half \ud83d", "\udd89", "a \x00 b", "\ud83d\x00", float("nan"), float("-inf"), DEEP, 10**400],
    ids=range(8),
)
def test_an_event_with_what_no_database_takes_is_understood(database, odd):
    recording = RecordingService(database, now=lambda: NOW)
    recording.start()
    told = event([box(10) | {"meta": {"text": [odd]}}], note=odd)
    told["task"]["data"] |= {"expression": "the red \ud83d\x00", "other": odd, "\ud83d": odd}

    assert recording.record(told)
    assert not recording.record(told)

    while recording.process_events():
        pass
    with database.begin() as session:
        (found,) = read_decisions(session)
        assert count_events(session)["done"] == 1
    assert found.correction.annotation.task.expression == "the red \ufffd"
    recording.close()
