"""`ris report` and `ris evaluate`: figures on the decisions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from ris import __version__, assembly, config, planning
from ris.cli.console import console, make_table
from ris.cli.options import DatabaseUrlOption, ProjectKeyOption
from ris.core.decision import Decision
from ris.core.types import Task
from ris.core.versions import describe_version
from ris.errors import InputError, TaskError
from ris.evaluation.decisions.metrics import compute_decision_metrics
from ris.evaluation.decisions.named import MAX_DISPUTES, load_report_names, make_dispute_table
from ris.evaluation.decisions.rerun import Rerun, compare_reruns, isolate_method, rerun
from ris.evaluation.decisions.table import GROUP_KEYS, DecisionTable, make_decision_table
from ris.labelstudio.links import make_task_address
from ris.quality.gold import measure_gold
from ris.quality.gold_table import make_gold_table
from ris.store.disputes import find_disputes
from ris.store.filters import DecisionFilter
from ris.store.gold import read_gold_answers
from ris.store.history import count_decisions, find_decisions, find_decisions_by_image
from ris.store.judged import read_judged_answers
from ris.store.session import Database

_DECISIONS_PER_PAGE = 200
_MAX_REASONS = 20  # that are printed after `--rerun`


def report(
    out: Annotated[Path, typer.Option(help="file for the report")] = Path("report.html"),
    project: ProjectKeyOption = None,
    pictures: Annotated[
        bool, typer.Option(help="draw the worst misses and the largest edits; fetches their images")
    ] = True,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Write an HTML report on the decisions.

    One file without links to other files: figures with intervals, a comparison of the methods, and drawings
    of misses.

    Example: `ris report --out report.html`
    """
    # Here: the charts take a second to import, for `ris serve` too.
    from ris.evaluation.decisions.galleries import draw_decision, make_galleries, to_data_uri
    from ris.evaluation.decisions.html_report import render_report

    settings = config.read_settings(database_url=database_url)
    source = assembly.make_image_source(settings)
    database = Database.open(settings.database_url)

    def load_decisions(row_ids: Sequence[int]) -> Sequence[Decision]:
        with database.begin() as session:
            return find_decisions(session, row_ids)

    def draw_picture(_: int, decision: Decision) -> str:
        return to_data_uri(draw_decision(decision, source(decision.correction.annotation.task)))

    def link_task(task: Task) -> str:
        return make_task_address(settings.label_studio_public_url or settings.label_studio_url, task)

    try:
        table = _load_table(database, project)
        galleries = make_galleries(table, load_decisions, draw_picture, link_task) if pictures else []
        with database.begin() as session:
            names = load_report_names(session)
            disputes = find_disputes(session, DecisionFilter(project=project), limit=MAX_DISPUTES)
            gold = measure_gold(read_gold_answers(session, project=project))
    finally:
        database.close()
    text = render_report(
        table,
        title="Referring-expression segmentation: what the annotators decided",
        subtitle=f"{len(table)} decisions, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        galleries=galleries,
        first_tables=[
            *([make_gold_table(gold, names)] if gold.people else []),
            make_dispute_table(disputes, names, link_task),
        ],
        names=names,
        footer=f"Written by ris {__version__}.",
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    console.print(f"{out}: {len(table)} decisions")


def evaluate(
    by: Annotated[str, typer.Option(help=f"a row for each: {', '.join(GROUP_KEYS)}")] = "version",
    project: ProjectKeyOption = None,
    again: Annotated[
        str | None, typer.Option("--rerun", help="run this preset on the decided tasks and compare")
    ] = None,
    method: Annotated[str | None, typer.Option(help="with --rerun: only this method")] = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Print how well the suggestions agree with the decisions.

    Example: `ris evaluate --by kind` or `ris evaluate --rerun tiny --method lgd`
    """
    if again is not None:
        _print_rerun(again, method, project, database_url)
        return
    if method is not None:
        raise typer.BadParameter("needs --rerun", param_hint="--method")
    if by not in GROUP_KEYS:
        raise typer.BadParameter(f"can be {', '.join(GROUP_KEYS)}, not {by!r}", param_hint="--by")
    database = Database.open(config.read_settings(database_url=database_url).database_url)
    try:
        decisions = _load_table(database, project)
    finally:
        database.close()
    columns = ("accepted", "accepted first", "mean IoU, top 1", "mean IoU, best shown", "P@0.5, top 1")
    table = make_table(by, "decisions", *columns, "oIoU", "lead time")
    for name, group in [*decisions.split(by), ("all", decisions)]:
        of = compute_decision_metrics(group)
        lead = "-" if of.lead_time_s is None else f"{of.lead_time_s:.1f} s"
        shares = [str(of.shares[column]) for column in columns]
        table.add_row(name, str(len(group)), *shares, f"{of.o_iou:.3f}", lead)
    console.print(table)


def _print_rerun(preset: str, method: str | None, project: str | None, database_url: str | None) -> None:
    settings = config.read_settings(database_url=database_url, preset=preset)
    plan, reasons = planning.make_plan(settings), Counter[str]()
    database = Database.open(settings.database_url)
    try:
        with database.begin() as session:
            row_ids = find_decisions_by_image(session, project=project)
        if not row_ids:
            raise InputError("no decision on record has a mask, so there is nothing to run again")
        pipeline = assembly.load_pipeline(plan)
        if method is not None:
            pipeline = isolate_method(pipeline, method)
        runs = rerun(pipeline, _load_decisions(database, row_ids), assembly.make_image_source(settings))
        bar = track(runs, "running the preset", total=len(row_ids), console=console, transient=True)
        compared = compare_reruns(_count_reasons(bar, reasons))
    finally:
        database.close()
    name = f"{describe_version(pipeline.version)}{f', {method} alone' if method else ''}"
    table = make_table("", "recorded", name, "difference", title=f"{len(row_ids)} decisions with a mask")
    for figure, (then, now, above) in compared.items():
        table.add_row(figure, str(then), str(now), str(above))
    console.print(table)
    n_failed, n_more = sum(reasons.values()), reasons.pop("", 0)
    for reason in sorted(reasons):
        console.print(reason, markup=False)
    if n_more:
        console.print(f"{n_more} more decisions could not be ranked again")
    if n_failed == len(row_ids):
        raise TaskError(f"none of {n_failed} tasks could be ranked again; the reasons are above")


def _load_decisions(database: Database, row_ids: Sequence[int]) -> Iterator[Decision]:
    """Yield decisions by pages, each in a transaction of its own, because the networks run between them."""
    for start in range(0, len(row_ids), _DECISIONS_PER_PAGE):
        with database.begin() as session:
            found = find_decisions(session, row_ids[start : start + _DECISIONS_PER_PAGE])
        yield from found


def _count_reasons(runs: Iterable[Rerun], reasons: Counter[str]) -> Iterator[Rerun]:
    """Pass the runs on, and count why tasks could not be ranked again; "" counts those after the first 20."""
    for one in runs:
        if one.reason:
            reasons[one.reason if one.reason in reasons or len(reasons) < _MAX_REASONS else ""] += 1
        yield one


def _load_table(database: Database, project: str | None) -> DecisionTable:
    with database.begin() as session:
        n_answers = count_decisions(session, project=project)
        answers = read_judged_answers(session, project=project)
        bar = track(answers, "reading decisions", total=n_answers, console=console, transient=True)
        return make_decision_table(bar)
