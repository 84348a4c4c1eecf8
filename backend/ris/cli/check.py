"""`ris check`: findings about tasks, of the record or of a dataset that nobody has labelled yet."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from ris import __version__, assembly, config, planning
from ris.batch.local import make_folder_fetcher
from ris.cli.console import console, make_table
from ris.cli.options import DatabaseUrlOption, PresetOption, ProjectKeyOption
from ris.core.types import Task
from ris.errors import InputError
from ris.labelstudio.links import make_task_address
from ris.quality.check_page import draw_finding, render_check_page
from ris.quality.checking import CheckTools, check_tasks
from ris.quality.entries import make_checked_tasks, to_finding
from ris.quality.findings import FindingKind, Severity, TaskFinding
from ris.quality.ranking_images import rank_tasks
from ris.service.importing import read_dataset
from ris.store.checked import CheckedTask, load_answer_masks, read_checked_tasks
from ris.store.history import find_project_keys
from ris.store.session import Database

_ORDER = {kind: (list(Severity).index(kind.severity), place) for place, kind in enumerate(FindingKind)}


class _Evidence(dict[str, object]):
    """Evidence in a table: an object in the JSON, words for a person."""

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.items())


def check(
    source: Annotated[
        Path | None,
        typer.Argument(help="dataset, table or file of tasks, as of `ris import`; default: the record"),
    ] = None,
    project: ProjectKeyOption = None,
    images: Annotated[Path | None, typer.Option(help="with SOURCE: folder of its images")] = None,
    look: Annotated[
        bool, typer.Option("--look", help="fetch every image, to find pictures that show the same")
    ] = False,
    rank: Annotated[
        bool, typer.Option("--rank", help="with SOURCE: rank its expressions, to find ambiguous ones")
    ] = False,
    preset: PresetOption = None,
    kind: Annotated[list[str] | None, typer.Option(help="only this kind; can be given several times")] = None,
    out: Annotated[Path | None, typer.Option(help="write a page with pictures to this HTML file")] = None,
    most: Annotated[int, typer.Option(min=1, help="print so many findings, the most severe first")] = 200,
    encoding: Annotated[str | None, typer.Option(help="with SOURCE: encoding of a table")] = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Find what a person should look at: contradictions, ambiguous words, typos, odd masks, duplicates.

    Nothing is changed.

    Example: `ris check --project 3 --out check.html` or `ris check tasks.csv --images photos --look`
    """
    kinds = _read_kinds(kind)
    settings = config.read_settings(database_url=database_url, preset=preset)
    if source is None and (images is not None or rank or encoding is not None):
        raise InputError(
            "--images, --rank and --encoding are for a SOURCE: name a dataset, or leave them out"
        )
    if source is not None and project is not None:
        raise InputError("--project is for the record: leave it out, or leave out SOURCE")
    with ExitStack() as stack:
        if source is not None:
            batches, tools, defects = _open_source(source, settings, images, encoding, rank=rank)
        else:
            batches, tools = _open_record(stack, settings, project)
            defects = []
        used = tools if look else replace(tools, load_image=None)
        found, n_tasks = list(defects), 0
        for tasks in batches:
            n_tasks += len(tasks)
            found += check_tasks(tasks, used)
        chosen = sorted((one for one in found if one.kind in kinds), key=lambda one: _ORDER[one.kind])
        _print_findings(chosen, n_tasks, most)
        if out is not None:
            _write_page(out, chosen, n_tasks, tools, settings)


def _read_kinds(names: Sequence[str] | None) -> set[FindingKind]:
    known = [kind.value for kind in FindingKind]
    for name in names or ():
        if name not in known:
            raise typer.BadParameter(f"can be {', '.join(known)}, not {name!r:.40}", param_hint="--kind")
    return {FindingKind(name) for name in names or known}


def _open_source(
    source: Path, settings: config.Settings, images: Path | None, encoding: str | None, *, rank: bool
) -> tuple[Iterable[Sequence[CheckedTask]], CheckTools, list[TaskFinding]]:
    """Read a dataset: its tasks, what the checks need, and the findings about unusable entries."""
    dataset = read_dataset(source, encoding)
    tasks, load_masks = make_checked_tasks(dataset.entries, source.name)
    place = (images or (source if source.is_dir() else source.parent)).resolve()
    fetch = make_folder_fetcher(
        assembly.make_image_source(settings), place, settings.max_image_bytes, settings.max_image_pixels
    )
    if rank:
        pipeline = assembly.load_pipeline(planning.make_plan(settings))
        ranked = rank_tasks(tasks, pipeline, fetch)
        tasks = list(track(ranked, "ranking", total=len(tasks), console=console, transient=True))
    tools = CheckTools(load_masks, assembly.make_expression_parser(), fetch)
    return [tasks], tools, [to_finding(defect) for defect in dataset.defects]


def _open_record(
    stack: ExitStack, settings: config.Settings, project: str | None
) -> tuple[Iterable[Sequence[CheckedTask]], CheckTools]:
    """Open the record: its tasks project by project, and what the checks need."""
    database = Database.open(settings.database_url)
    stack.callback(database.close)
    session = stack.enter_context(database.begin())
    keys = [project] if project is not None else find_project_keys(session)
    tools = CheckTools(
        partial(load_answer_masks, session),
        assembly.make_expression_parser(),
        assembly.make_image_source(settings),
    )
    return (read_checked_tasks(session, key) for key in keys), tools


def _print_findings(found: Sequence[TaskFinding], n_tasks: int, most: int) -> None:
    title = f"{len(found)} findings about {n_tasks} tasks"
    counts = make_table("kind", "severity", "findings", title=title, name="counts")
    for kind, count in sorted(Counter(one.kind for one in found).items(), key=lambda one: _ORDER[one[0]]):
        counts.add_row(kind.value, kind.severity.value, count)
    console.print(counts)
    if not found:
        return
    table = make_table(
        "kind", "severity", "project", "task", "expression", "what was found", "evidence", name="findings"
    )
    for one in found[:most]:
        task = one.tasks[0].task if one.tasks else None
        table.add_row(
            one.kind.value, one.kind.severity.value, task.project if task else "", one.place,
            task.expression if task else "", one.sentence, _Evidence(one.evidence),
        )  # fmt: skip
    console.print(table)
    if len(found) > most:
        console.print(f"{len(found) - most} more findings: raise --most, or choose with --kind")


def _write_page(
    out: Path, found: Sequence[TaskFinding], n_tasks: int, tools: CheckTools, settings: config.Settings
) -> None:
    load_image = tools.load_image

    def link_task(task: Task) -> str:
        return make_task_address(settings.label_studio_public_url or settings.label_studio_url, task)

    def show_picture(finding: TaskFinding) -> str:
        return draw_finding(finding, tools.load_masks, load_image) if load_image is not None else ""

    text = render_check_page(
        found,
        title="Referring-expression segmentation: what to look at",
        subtitle=f"{len(found)} findings about {n_tasks} tasks",
        show_picture=show_picture,
        link_task=link_task,
        footer=f"Written by ris {__version__}.",
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8", errors="backslashreplace")
    console.print(f"{out}: {len(found)} findings", markup=False)
