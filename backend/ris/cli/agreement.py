"""`ris agreement`: how far people agree who answered the same tasks."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from ris import config
from ris.cli.console import ResultTable, console, make_table
from ris.cli.options import DatabaseUrlOption, ProjectKeyOption
from ris.core.shares import Share
from ris.export.text import open_replacing, to_json
from ris.quality.agreement import AgreementReport, measure_team_agreement
from ris.quality.comparing import ComparedAnswers, Consensus
from ris.quality.consensus_lines import to_consensus_line
from ris.store.answer_groups import read_answer_groups
from ris.store.names import find_annotator_names
from ris.store.session import Database

_KEYS = ("figure", "value", "low", "high", "count")


def agreement(
    project: ProjectKeyOption = None,
    worst: Annotated[int, typer.Option(min=0, help="list so many tasks on which people differ most")] = 20,
    consensus: Annotated[
        Path | None, typer.Option(help="write the consensus of each task to this file, as JSON Lines")
    ] = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Print how far people agree who answered the same tasks.

    Only tasks with answers of several people count. Figures have 95 % intervals over images.

    Example: `ris agreement --project 3 --consensus consensus.jsonl`
    """
    database = Database.open(config.read_settings(database_url=database_url).database_url)
    try:
        with ExitStack() as stack:
            session = stack.enter_context(database.begin())
            file = None
            if consensus is not None:
                file = stack.enter_context(open_replacing(consensus))

            def write_consensus(compared: ComparedAnswers, found: Consensus | None) -> None:
                if file is not None:
                    file.write((to_json(to_consensus_line(compared, found)) + "\n").encode())

            groups = read_answer_groups(session, project=project)
            bar = track(groups, "comparing answers", total=None, console=console, transient=True)
            report = measure_team_agreement(bar, n_worst=worst, keep_consensus=write_consensus)
            names = find_annotator_names(session)
    finally:
        database.close()
    _print_report(report, names)
    if consensus is not None:
        console.print(f"{consensus}: {report.n_tasks} tasks", markup=False)


def _print_report(report: AgreementReport, names: Mapping[int, str]) -> None:
    people = {
        number: f"{names[number]} ({number})" if number in names else str(number) for number in report.people
    }
    if not report.n_tasks:
        console.print("no task has answers of several people")
    title = f"{report.n_tasks} tasks of several people, {report.n_without_consensus} without consensus"
    overall = make_table(*_KEYS, title=title, name="overall")
    _add_rows(overall, (), report.overall)
    by_person = make_table("annotator", *_KEYS, title="by annotator", name="annotators")
    for number, figures in report.people.items():
        _add_rows(by_person, (people[number],), figures)
    by_kind = make_table("kind", *_KEYS, title="by kind of expression", name="kinds")
    for kind, figures in report.kinds.items():
        _add_rows(by_kind, (kind,), figures)
    by_both = make_table(
        "annotator", "kind", *_KEYS, title="by annotator and kind", name="annotators_by_kind"
    )
    for (number, kind), figures in report.people_by_kind.items():
        _add_rows(by_both, (people[number], kind), figures)
    tasks = make_table(
        "project", "task", "expression", "people", "disagreement", "consensus", name="tasks",
        title="the tasks on which people differ most",
    )  # fmt: skip
    for one in report.worst:
        task, says = one.task, "yes" if one.has_consensus else "no"
        tasks.add_row(
            task.project, task.task_id, task.expression, one.n_people, round(one.disagreement, 3), says
        )
    for table in (overall, by_person, by_kind, by_both, tasks):
        if table.records or table is overall:
            console.print(table)
    if report.people and not any(figures["skill"].count for figures in report.people.values()):
        console.print("no skills: they need three people of whom each two answered some of the same tasks")
    for number in report.find_below():
        console.print(
            f"the skill of annotator {people[number]} lies below that of the median annotator", markup=False
        )


def _add_rows(table: ResultTable, first: tuple[str, ...], figures: Mapping[str, Share]) -> None:
    """Add a row for each figure that has a value; without an interval where all is of one image."""
    for name, share in figures.items():
        if share.count:
            ends = (round(share.low, 3), round(share.high, 3)) if share.has_interval else (None, None)
            table.add_row(*first, name, round(share.mean, 3), *ends, share.count)
