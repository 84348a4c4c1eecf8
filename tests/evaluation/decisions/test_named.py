from ris.core.types import Task, Verdict
from ris.evaluation.decisions.cells import Link, ReportNames
from ris.evaluation.decisions.named import load_report_names, make_dispute_table
from ris.store.disputes import Dispute
from ris.store.names import NamedProject, save_annotator_names, save_project_name
from tests.builders.records import NOW

DISPUTE = Dispute(Task(7, "1.5", "a.png", "the mug"), 2, (Verdict.ACCEPTED, Verdict.NO_REFERENT), 0.0)


def test_names_are_those_that_the_last_sync_stored(database):
    with database.begin() as session:
        save_project_name(session, "1.5", NamedProject("Kitchen", 10, 3, NOW))
        save_annotator_names(session, {7: "Ada"}, now=NOW)

        assert load_report_names(session) == ReportNames({"1.5": "Kitchen"}, {"7": "Ada"})


def test_a_dispute_links_to_its_task():
    names = ReportNames({"1.5": "Kitchen"})

    linked = make_dispute_table([DISPUTE], names, lambda task: f"https://studio.example/{task.task_id}")
    alone = make_dispute_table([DISPUTE], names, lambda task: "")

    row = [
        Link("task 7", "https://studio.example/7"),
        "Kitchen (1)",
        "the mug",
        "accepted, no referent",
        "0.00",
    ]
    assert linked.rows == [row]
    assert alone.rows == [["task 7", *row[1:]]]
