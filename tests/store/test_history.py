from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ris.core.types import Verdict
from ris.store.failures import FailedAnswer, replace_failures
from ris.store.history import (
    count_decisions,
    find_decisions,
    find_decisions_by_image,
    find_project_keys,
    find_projects_with_corrections,
    read_corrections,
)
from ris.store.records import add_correction, add_deletion
from ris.store.schema import CorrectionRow, EventRow
from ris.store.session import Database, upgrade_database
from tests.builders.records import NOW, TASK, add, correction, keep, offers, read


def delete(database, project=TASK.project, **ids):
    with database.begin() as session:
        add_deletion(session, project, event_id=None, now=NOW, **ids)


def test_a_decision_comes_back_with_all_that_was_on_the_screen(database):
    keep(database)
    add(database, correction())

    (decision,) = read(database)

    assert decision.correction == correction()
    assert decision.alternatives == offers()
    assert (decision.image_digest, decision.image_size, decision.version) == ("ab" * 32, (9, 14), "v1")


def test_the_newest_version_counts_and_the_others_are_history(database):
    add(database, correction(seconds=5, rank=2), correction(seconds=9, rank=1), correction(seconds=1, rank=0))

    assert [d.correction.rank for d in read(database)] == [1]
    with database.begin() as session:
        assert [c.rank for c in read_corrections(session, TASK.project, 1)] == [0, 2, 1]


def test_decisions_with_a_mask_are_found_image_by_image(database):
    a, b = (replace(TASK, task_id=number, image_url=url) for number, url in ((1, "a.png"), (2, "b.png")))
    last = replace(TASK, task_id=3, image_url="a.png")
    other = replace(TASK, project="2.1700000000")
    add(
        database,
        correction(1, task=b),
        correction(2, task=last),
        correction(3, task=a),
        correction(4, task=other),
    )
    add(
        database,
        correction(5, task=a, verdict=Verdict.NO_REFERENT),
        correction(6, task=b),
        correction(7, task=b),
    )
    delete(database, annotation_ids=[7])

    with database.begin() as session:
        found, of_one = (
            find_decisions_by_image(session),
            find_decisions_by_image(session, project=other.project),
        )
        numbers = [d.correction.annotation.annotation_id for d in find_decisions(session, found)]

    assert numbers == [3, 2, 1, 6, 4]
    assert list(of_one) == [found[-1]]


def test_decisions_are_found_by_their_rows_in_the_order_asked_for(database):
    add(database, correction(1), correction(2), correction(3))
    with database.begin() as session:
        rows = dict(session.execute(select(CorrectionRow.annotation_id, CorrectionRow.id)).all())
        found = find_decisions(session, [rows[3], rows[1]])

    by_number = {d.correction.annotation.annotation_id: d for d in read(database)}
    assert found == [by_number[3], by_number[1]]


def test_the_same_version_twice_is_kept_once(database):
    assert add(database, correction(), correction()) == [True, False]


def fail(database, number, seconds, project=TASK.project):
    """Add a version of an answer that cannot be read."""
    at = NOW + timedelta(seconds=seconds)
    with database.begin() as session:
        event = EventRow(
            received_at=NOW, digest=f"{number}-{seconds}-{project}", action="x", body={}, state="failed"
        )
        session.add(event)
        session.flush()
        failed = FailedAnswer(event.id, "choice", "no", project, TASK.task_id, number, at)
        replace_failures(session, event.id, [failed], now=NOW)


def test_an_answer_whose_later_version_is_not_understood_has_no_decision(database):
    add(database, correction(1, seconds=5), correction(2, seconds=5), correction(3, seconds=5))
    fail(database, 1, seconds=6)
    fail(database, 2, seconds=4)
    fail(database, 3, seconds=6, project="2.1")

    assert [d.correction.annotation.annotation_id for d in read(database)] == [2, 3]
    with database.begin() as session:
        assert count_decisions(session) == 2
        assert len(read_corrections(session, TASK.project, 1)) == 1


def test_a_version_that_is_understood_after_the_failed_one_is_the_decision(database):
    add(database, correction(1, seconds=5))
    fail(database, 1, seconds=6)
    add(database, correction(1, seconds=7, rank=2))

    assert [d.correction.rank for d in read(database)] == [2]


def test_several_annotators_of_a_task_stay_apart(database):
    add(database, correction(1, annotator=3), correction(2, annotator=4, rank=1))

    assert [d.correction.annotation.annotator for d in read(database)] == [3, 4]


def test_a_deletion_wins_even_when_it_comes_first(database):
    delete(database, annotation_ids=[1])
    add(database, correction(1), correction(2))

    assert [d.correction.annotation.annotation_id for d in read(database)] == [2]


def test_a_deleted_task_takes_its_annotations_along(database):
    add(database, correction(1), correction(2, task=replace(TASK, task_id=8)))
    delete(database, task_ids=[TASK.task_id])

    assert [d.correction.annotation.annotation_id for d in read(database)] == [2]


def test_the_same_ids_in_a_project_made_anew_are_others(database):
    again = replace(TASK, project="1.1800000000")
    add(database, correction(1), correction(1, task=again, rank=1))
    delete(database, annotation_ids=[1])

    assert [d.correction.rank for d in read(database)] == [1]
    assert read(database, project=TASK.project) == []
    assert len(read(database, project=again.project)) == 1


def test_a_decision_on_a_task_that_was_never_seen_has_nothing_on_offer(database):
    add(database, correction(verdict=Verdict.REDRAWN))

    (decision,) = read(database)
    assert (decision.alternatives, decision.image_digest, decision.image_size) == ((), None, None)


def test_the_count_is_of_decisions(database):
    add(database, correction(1), correction(1, seconds=3), correction(2))

    with database.begin() as session:
        assert count_decisions(session) == 2


EVENTS = [
    *(("version", number, seconds) for number in (1, 2, 3) for seconds in (0, 1, 2)),
    ("delete", 2, 0),
    ("delete", 9, 0),
]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('orders') / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    yield database
    database.close()


PROJECTS = iter(range(10**9))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(EVENTS), st.lists(st.sampled_from(EVENTS), max_size=6))
def test_any_order_of_events_with_repeats_ends_in_the_same_decisions(scratch, order, repeats):
    project = f"{next(PROJECTS)}.1"
    task = replace(TASK, project=project)
    with scratch.begin() as session:
        for kind, number, seconds in [*order, *repeats]:
            if kind == "delete":
                add_deletion(session, project, annotation_ids=[number], event_id=None, now=NOW)
            else:
                made = correction(number, seconds, rank=seconds, task=task)
                add_correction(session, made, version="v1", event_id=None, now=NOW)

    found = read(scratch, project=project)

    assert [(d.correction.annotation.annotation_id, d.correction.rank) for d in found] == [(1, 2), (3, 2)]


def test_every_project_with_a_decision_is_found_once(database):
    with database.begin() as session:
        assert find_projects_with_corrections(session) == set()
    add(
        database, correction(1), correction(2), correction(3, task=replace(TASK, project="2.5")),
        correction(4, task=replace(TASK, project="10.5")),
    )  # fmt: skip

    with database.begin() as session:
        assert find_projects_with_corrections(session) == {TASK.project, "2.5", "10.5"}
        assert find_project_keys(session) == sorted([TASK.project, "2.5", "10.5"])
