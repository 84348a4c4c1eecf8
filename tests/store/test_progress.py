from dataclasses import replace
from datetime import timedelta

from ris.core.types import Verdict
from ris.store.filters import DecisionFilter
from ris.store.progress import count_by_day, count_by_project, count_verdicts, find_annotators
from ris.store.records import add_deletion
from tests.builders.records import NOW, TASK, add, correction

DAY = NOW.date()
OTHER = replace(TASK, project="2.5")


def fill(database):
    add(
        database, correction(1, annotator=3), correction(2, annotator=4, verdict=Verdict.SKIPPED, rank=None),
        correction(3, seconds=1, verdict=Verdict.SKIPPED, annotator=3),
        correction(3, seconds=86400, verdict=Verdict.NO_REFERENT, annotator=3, rank=None),
        correction(4, seconds=2 * 86400, task=OTHER, annotator=None), correction(5, task=OTHER),
    )  # fmt: skip
    with database.begin() as session:
        add_deletion(session, OTHER.project, annotation_ids=[5], event_id=None, now=NOW)


def test_verdicts_are_counted_over_the_current_decisions_that_are_chosen(database):
    fill(database)
    with database.begin() as session:
        assert count_verdicts(session, DecisionFilter()) == {
            Verdict.ACCEPTED: 2, Verdict.NO_REFERENT: 1, Verdict.SKIPPED: 1,
        }  # fmt: skip
        assert count_verdicts(session, DecisionFilter(annotator=3, since=DAY + timedelta(days=1))) == {
            Verdict.NO_REFERENT: 1
        }
        assert count_verdicts(session, DecisionFilter(verdict=Verdict.SKIPPED, until=DAY)) == {
            Verdict.SKIPPED: 1
        }
        assert count_verdicts(session, DecisionFilter(project="9.9")) == {}


def test_every_project_has_its_number_and_its_last_day(database):
    fill(database)
    with database.begin() as session:
        assert count_by_project(session, DecisionFilter()) == {
            TASK.project: (3, DAY + timedelta(days=1)), OTHER.project: (1, DAY + timedelta(days=2)),
        }  # fmt: skip


def test_the_last_days_come_first(database):
    fill(database)
    with database.begin() as session:
        days = count_by_day(session, DecisionFilter(), n_days=2)

    assert [((one.day - DAY).days, one.project, one.n_decisions) for one in days] == [
        (2, OTHER.project, 1), (1, TASK.project, 1),
    ]  # fmt: skip


def test_annotators_are_those_with_a_decision_and_a_number(database):
    fill(database)
    with database.begin() as session:
        assert find_annotators(session) == [3, 4]
