from ris.store.claims import claim_new_events
from ris.store.inbox import count_events, count_unfinished_events, mark_event_done, mark_event_failed
from ris.store.inbox_writer import InboxEvent, InboxWriter
from tests.builders.records import NOW


def test_events_wait_oldest_first_until_they_are_done_or_failed(database):
    writer = InboxWriter(database, now=lambda: NOW)
    writer.start()
    writer.put_all(InboxEvent(f"{number:064d}", "ANNOTATION_CREATED", "{}") for number in range(3))
    writer.close()
    with database.begin() as session:
        first, second, third = (event_id for event_id, _ in claim_new_events(session, limit=10))
        mark_event_done(session, first, now=NOW)
        mark_event_failed(session, second, "it says nothing", now=NOW)

    with database.begin() as session:
        assert [event_id for event_id, _ in claim_new_events(session, limit=10)] == [third]
        assert count_events(session) == {"new": 1, "done": 1, "failed": 1}
        assert count_unfinished_events(session) == {"new": 1, "failed": 1}
