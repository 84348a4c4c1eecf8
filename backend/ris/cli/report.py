"""`ris report` and `ris evaluate`: figures on the decisions."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from ris import __version__, assembly, config, planning
from ris.cli.console import console, make_table
from ris.cli.options import DatabaseUrlOption, ProjectKeyOption
from ris.core.decision import Decision
from ris.core.versions import describe_version
from ris.evaluation.decisions.metrics import (
    GROUP_KEYS,
    DecisionEvaluation,
    compute_decision_metrics,
    evaluate_decision,
    group_decisions,
)
from ris.evaluation.decisions.rerun import compare_reruns, isolate_method, rerun
from ris.store.history import read_decisions
from ris.store.session import Database


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
    from ris.evaluation.decisions.html_report import (
        render_page,  # here: its charts take a second to import, for `ris serve` too
    )

    settings = config.read_settings(database_url=database_url)
    found = _evaluate_decisions(settings.database_url, project)
    source = assembly.make_image_source(settings)

    def load_pixels(j: DecisionEvaluation) -> NDArray[np.uint8]:
        return source(j.decision.correction.annotation.task).pixels

    text = render_page(
        found,
        title="Referring-expression segmentation: what the annotators decided",
        subtitle=f"{len(found)} decisions, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        pixels=load_pixels if pictures else None,
        footer=f"Written by ris {__version__}.",
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    console.print(f"{out}: {len(found)} decisions")


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
    found = _evaluate_decisions(config.read_settings(database_url=database_url).database_url, project)
    columns = ("accepted", "accepted first", "mIoU of the first", "mIoU of the best", "P@0.5 of the first")
    table = make_table(by, "decisions", *columns, "oIoU", "lead time")
    for name, group in {**group_decisions(found, by), "all": found}.items():
        of = compute_decision_metrics(group)
        lead = "-" if of.lead_time_s is None else f"{of.lead_time_s:.1f} s"
        shares = [str(of.shares[column]) for column in columns]
        table.add_row(name, str(len(group)), *shares, f"{of.o_iou:.3f}", lead)
    console.print(table)


def _print_rerun(preset: str, method: str | None, project: str | None, database_url: str | None) -> None:
    settings = config.read_settings(database_url=database_url, preset=preset)
    found = _load_decisions(settings.database_url, project)
    pipeline = assembly.load_pipeline(planning.make_plan(settings))
    if method is not None:
        pipeline = isolate_method(pipeline, method)
    with_mask = sum(d.correction.verdict.has_mask for d in found)
    runs = rerun(pipeline, found, assembly.make_image_source(settings))
    done = list(track(runs, "running the preset", total=with_mask, console=console, transient=True))
    name = f"{describe_version(pipeline.version)}{f', {method} alone' if method else ''}"
    table = make_table("", "recorded", name, "difference", title=f"{len(done)} decisions with a mask")
    for figure, (then, now, above) in compare_reruns(done).items():
        table.add_row(figure, str(then), str(now), str(above))
    console.print(table)
    for reason in sorted({one.reason for one in done if one.reason}):
        console.print(reason, markup=False)


def _evaluate_decisions(database_url: str, project: str | None) -> list[DecisionEvaluation]:
    found = _load_decisions(database_url, project)
    return [evaluate_decision(d) for d in track(found, "comparing masks", console=console, transient=True)]


def _load_decisions(database_url: str, project: str | None) -> list[Decision]:
    database = Database.open(database_url)
    try:
        with database.begin() as session:
            return list(read_decisions(session, project=project))
    finally:
        database.close()
