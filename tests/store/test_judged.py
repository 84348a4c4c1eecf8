from dataclasses import replace

import pytest
from sqlalchemy import select, text

from ris.core.decision import to_judged_answer
from ris.core.types import Task, Verdict
from ris.store.filters import EVERYTHING, DecisionFilter
from ris.store.judged import fill_comparisons, find_newest_judged_answers, read_judged_answers
from ris.store.records import add_deletion
from ris.store.schema import CorrectionRow
from tests.builders.records import NOW, TASK, add, correction, keep, read


def read_judged(database, **more):
    with database.begin() as session:
        return list(read_judged_answers(session, **more))


def test_judged_answers_are_the_decisions_without_their_masks(database):
    keep(database)
    unseen = Task(8, TASK.project, "elsewhere.png", "the cat")
    add(
        database, correction(1), correction(2, rank=2), correction(3, verdict=Verdict.NO_REFERENT, rank=None),
        correction(4, task=unseen), correction(5, annotator=None, seconds=9),
    )  # fmt: skip

    expected = [to_judged_answer(decision) for decision in read(database)]

    assert [answer._replace(row_id=0) for answer in read_judged(database)] == expected
    assert {answer.image for answer in expected} == {("", "ab" * 32), (TASK.project, "elsewhere.png")}


def test_only_the_project_that_is_named_is_read(database):
    add(database, correction(1), correction(2, task=replace(TASK, project="2.5")))

    assert [answer.task.project for answer in read_judged(database, project="2.5")] == ["2.5"]


def test_the_answers_given_last_come_first(database):
    late = Task(1, "9.1", "a.png", "the mug")
    add(
        database, correction(1, seconds=2), correction(2, seconds=8, task=late), correction(3, seconds=5),
        correction(4, seconds=1), correction(4, seconds=9), correction(5, seconds=20),
    )  # fmt: skip
    with database.begin() as session:
        add_deletion(session, TASK.project, annotation_ids=[5], event_id=None, now=NOW)
        found = find_newest_judged_answers(session, 3)

    assert [(answer.updated_at - NOW).seconds for answer in found] == [9, 8, 5]


def test_comparisons_are_stored_once(database):
    keep(database)
    add(database, correction(1), correction(2))
    before = read_judged(database)

    assert list(fill_comparisons(database)) == [2]
    assert list(fill_comparisons(database)) == []
    assert read_judged(database) == before


def make_newest_query(chosen):
    newest = CorrectionRow.updated_at.desc(), CorrectionRow.id.desc()
    return select(CorrectionRow.id).where(*chosen.make_conditions()).order_by(*newest).limit(9)


IN_ORDER = (
    select(CorrectionRow.id)
    .where(CorrectionRow.is_current)
    .order_by(CorrectionRow.project, CorrectionRow.task_id, CorrectionRow.annotation_id)
)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (IN_ORDER, "ix_correction_current"),
        (make_newest_query(EVERYTHING), "ix_correction_newest"),
        (make_newest_query(DecisionFilter(project="1.5")), "ix_correction_project_newest"),
        (make_newest_query(DecisionFilter(annotator=3)), "ix_correction_annotator_newest"),
        (make_newest_query(DecisionFilter(verdict=Verdict.SKIPPED)), "ix_correction_verdict_newest"),
    ],
)
def test_the_newest_answers_and_all_in_order_are_found_by_an_index(database, query, index):
    """Without it, each view of the page would read and sort the whole record."""
    with database.begin() as session:
        dialect = session.get_bind().dialect
        if dialect.name == "postgresql":
            # A table of no rows is read whole and sorted otherwise.
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_sort = off"))
        explain = "EXPLAIN" if dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        compiled = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        plan = "\n".join(str(tuple(row)) for row in session.execute(text(f"{explain} {compiled}")))

    assert index in plan
    assert "TEMP B-TREE" not in plan
