from dataclasses import replace

import pytest

from ris.store.claims import claim_new_events
from ris.store.failures import FailedAnswer, replace_failures
from ris.store.inbox_writer import InboxEvent, InboxWriter
from ris.store.listed_answers import find_answers_between, find_answers_of_tasks, find_current_versions
from ris.store.records import add_deletion
from tests.builders.records import NOW, TASK, add, correction

OTHER = replace(TASK, project="2.1700000000")


@pytest.fixture
def record(database):
    """Answer n is of task n; 2 has two versions, 3 is deleted, 4 is another project's, 5 failed."""
    tasks = {n: replace(TASK, task_id=n) for n in (1, 2, 3)}
    add(database, *(correction(n, task=task) for n, task in tasks.items()))
    add(database, correction(2, seconds=9, task=tasks[2]), correction(4, task=replace(OTHER, task_id=1)))
    writer = InboxWriter(database, now=lambda: NOW)
    writer.start()
    writer.put(InboxEvent("1" * 64, "ANNOTATION_CREATED", "{}"))
    writer.close()
    with database.begin() as session:
        add_deletion(session, TASK.project, annotation_ids=[3], event_id=None, now=NOW)
        ((number, _),) = claim_new_events(session, limit=1)
        failures = [
            FailedAnswer(number, "choice", "no", TASK.project, task, n, NOW)
            for n, task in ((5, 5), (6, None))
        ]
        replace_failures(session, number, failures, now=NOW)
    return database


def test_the_versions_that_count_are_found_by_annotation(record):
    first, second = (correction(n, seconds=s).annotation.updated_at for n, s in ((1, 0), (2, 9)))
    with record.begin() as session:
        assert find_current_versions(session, TASK.project, range(1, 2000)) == {1: first, 2: second}
        assert find_current_versions(session, TASK.project, [1]) == {1: first}
        assert find_current_versions(session, TASK.project, []) == {}


def test_answers_of_tasks_are_those_that_count_or_failed(record):
    with record.begin() as session:
        assert find_answers_of_tasks(session, TASK.project, [1, 3, 5]) == {1, 5}
        assert find_answers_of_tasks(session, TASK.project, range(2000)) == {1, 2, 5}


def test_answers_between_two_tasks_are_after_the_first_until_the_second(record):
    with record.begin() as session:
        assert find_answers_between(session, TASK.project, 1, 5) == {2, 5}
        assert find_answers_between(session, TASK.project, -1, 1) == {1, 6}  # 6 failed without a task
