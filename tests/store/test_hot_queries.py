"""No query that runs for each request, event or page reads a large table from end to end."""

import re
from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from sqlalchemy import text

from ris.core.types import Verdict
from ris.store import answer_groups, gold
from ris.store.adjudications import add_adjudications, find_outcomes, find_sources
from ris.store.alternatives import find_answer_alternatives
from ris.store.claims import claim_new_events, confirm_new_events
from ris.store.disputes import find_disputes
from ris.store.filters import DecisionFilter
from ris.store.history import find_decisions, find_projects_with_corrections
from ris.store.inbox import count_new_events, count_unfinished_events
from ris.store.judged import find_newest_judged_answers
from ris.store.known_images import find_known_images
from ris.store.progress import count_by_day, count_by_project, count_verdicts, find_annotators
from ris.store.ranked_proposals import find_newest_ranked_decisions, find_ranked_proposals
from ris.store.records import add_correction, add_deletion, find_alternatives
from ris.store.schema import CorrectionRow, GoldRow
from ris.store.session import Database, upgrade_database
from tests.builders.adjudications import make_adjudication
from tests.builders.queries import record_statements
from tests.builders.records import NOW, TASK, add, correction, keep

LARGE = ("address", "correction", "deletion", "event", "image", "proposals", "suggestion", "task")
_WHOLE_TABLE = re.compile(rf"(SCAN ({'|'.join(LARGE)})\b(?!.*INDEX)|Seq Scan on ({'|'.join(LARGE)})\b)")


def change_an_answer(session):
    add_correction(session, correction(1, seconds=60), version="v1", event_id=None, now=NOW)
    add_deletion(session, TASK.project, annotation_ids=[2], task_ids=[9], event_id=None, now=NOW)


def read_decisions_with_their_proposals(session):
    ids = find_newest_ranked_decisions(session, "v1", 5)
    find_ranked_proposals(session, find_decisions(session, ids))


def look_up_outcomes(session):
    find_outcomes(session, {(TASK.project, TASK.task_id)}, (CorrectionRow.id,))
    find_sources(session, {TASK})


CHOSEN = (
    DecisionFilter(),
    DecisionFilter(project=TASK.project),
    DecisionFilter(annotator=3),
    DecisionFilter(verdict=Verdict.SKIPPED),
    DecisionFilter(project=TASK.project, annotator=3, verdict=Verdict.SKIPPED),
    DecisionFilter(since=date(2026, 1, 1), until=date(2026, 1, 3)),
)
HOT = {
    "an answer is changed and deleted": change_an_answer,
    "events are claimed": lambda session: claim_new_events(session, limit=10, now=NOW),
    "events are confirmed": lambda session: confirm_new_events(session, [1, 2]),
    "new events are counted": count_new_events,
    "new and failed events are counted": count_unfinished_events,
    "alternatives are looked up for /predict": lambda session: find_alternatives(session, TASK, "v1"),
    "alternatives are looked up for answers": lambda session: find_answer_alternatives(
        session, [correction(1).annotation]
    ),
    "answers that settle tasks are looked up": look_up_outcomes,
    "images are looked up": lambda session: find_known_images(session, [TASK]),
    "a training reads": read_decisions_with_their_proposals,
    "projects are listed": find_projects_with_corrections,
    "annotators are listed": find_annotators,
}


def show_page(session, chosen):
    """What the page of the lead asks for a filter."""
    find_newest_judged_answers(session, 9, chosen)
    find_disputes(session, chosen, limit=9)
    count_verdicts(session, chosen)
    count_by_day(session, chosen, n_days=9)
    count_by_project(session, chosen)


for number, chosen in enumerate(CHOSEN):
    HOT[f"the page is shown with filter {number}"] = partial(show_page, chosen=chosen)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request, tmp_path_factory):
    """A small record on each database. PostgreSQL avoids reading whole tables, as if they were large."""
    from tests.builders.postgres import new_database

    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('hot') / 'ris.db'}"
    else:
        url = new_database(request.getfixturevalue("postgres"))
    upgrade_database(url)
    database = Database.open(url)
    keep(database)
    add(
        database, correction(1), correction(2, annotator=4), correction(3, verdict=Verdict.SKIPPED, rank=None)
    )
    with database.begin() as session:
        add_adjudications(session, [make_adjudication()], now=NOW)
    yield database
    database.close()


@pytest.mark.parametrize("name", HOT)
def test_no_hot_query_reads_a_large_table_from_end_to_end(filled, name):
    with filled.begin() as session, record_statements(session) as sent:
        HOT[name](session)
    with filled.begin() as session:
        is_postgresql = session.get_bind().dialect.name == "postgresql"
        explain = "EXPLAIN " if is_postgresql else "EXPLAIN QUERY PLAN "
        if is_postgresql:
            session.execute(text("SET LOCAL enable_seqscan = off"))
        plans = []
        for statement, parameters in sent:
            if statement.lstrip().startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
                rows = session.connection().exec_driver_sql(explain + statement, parameters)
                plans += [str(tuple(row)) for row in rows]

    assert sent
    assert [plan for plan in plans if _WHOLE_TABLE.search(plan)] == []


def look_up_tasks(session):
    """What is asked of a page of tasks, by their projects and numbers."""
    page = {(TASK.project, TASK.task_id), ("2.1700000000", 9)}
    list(answer_groups._read_groups(session, sorted(page)))
    list(
        gold._read_answers(
            session, [GoldRow(project=p, task_id=n, image_url="", expression="") for p, n in page]
        )
    )
    find_outcomes(session, page, (CorrectionRow.id,))
    find_sources(session, {TASK, replace(TASK, project="2.1700000000")})


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_tasks_of_several_projects_are_looked_up_in_an_index(filled):
    """SQLite reads an index from end to end for a list of pairs alone."""
    with filled.begin() as session, record_statements(session) as sent:
        look_up_tasks(session)
    with filled.begin() as session:
        plans = [
            str(tuple(row))
            for statement, parameters in sent
            for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]

    assert len([plan for plan in plans if "SEARCH correction" in plan]) == 3
    assert [plan for plan in plans if "SCAN correction" in plan or "SCAN adjudication" in plan] == []


def test_the_test_would_see_a_query_that_reads_a_whole_table(filled):
    is_postgresql = "postgresql" in str(filled._engine.url)
    with filled.begin() as session:
        query = text(
            f"EXPLAIN {'' if is_postgresql else 'QUERY PLAN '}SELECT * FROM correction WHERE rank = 1"
        )
        plans = [str(tuple(row)) for row in session.execute(query)]

    assert any(_WHOLE_TABLE.search(plan) for plan in plans)
