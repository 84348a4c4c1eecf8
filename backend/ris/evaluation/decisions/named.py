"""Tables of the report that name projects, annotators and tasks, and link to Label Studio."""

from collections.abc import Callable, Sequence

from ris.core.types import Task
from ris.evaluation.decisions.cells import Link, ReportNames, ReportTable
from ris.store.disputes import Dispute
from ris.store.names import find_annotator_names, find_project_names
from ris.store.session import Session

MAX_DISPUTES = 15


def load_report_names(session: Session) -> ReportNames:
    """Return the names that Label Studio gave, as the last sync stored them."""
    projects = {key: named.title for key, named in find_project_names(session).items() if named.title}
    annotators = {str(number): name for number, name in find_annotator_names(session).items()}
    return ReportNames(projects, annotators)


def make_dispute_table(
    disputes: Sequence[Dispute], names: ReportNames, link_task: Callable[[Task], str]
) -> ReportTable:
    """Make the table of tasks whose answers differ, with links into Label Studio."""
    rows = []
    for dispute in disputes:
        address, text = link_task(dispute.task), f"task {dispute.task.task_id}"
        verdicts = ", ".join(verdict.value for verdict in dispute.verdicts)
        rows.append(
            [
                Link(text, address) if address else text, names.name_project(dispute.task.project),
                dispute.task.expression, verdicts, f"{dispute.iou:.2f}",
            ]
        )  # fmt: skip
    return ReportTable(
        "Tasks on which annotators disagree",
        ("task", "project", "expression", "answers, oldest first", "lowest IoU of two answers"),
        rows,
        "Among the newest 2,000 answers: tasks with several answers of which two have an IoU below 0.5, or "
        "one has a mask and another says that the object is not in the image. The most different first.",
    )
