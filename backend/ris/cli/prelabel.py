"""`ris prelabel`: suggestions for a whole dataset, ahead of the annotators."""

from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ris import assembly, config, label_config
from ris.batch.engine import Engine, ProcessEngine
from ris.batch.local import load_worker_with_folder
from ris.batch.prelabel import FailedTask, find_unanswered_tasks
from ris.batch.prelabel import prelabel_tasks as run
from ris.batch.taskfile import DataKeys, read_task_file, write_tasks
from ris.batch.work import ImageFetcher, Labeller, VersionedCoefficients
from ris.cli.connect import LABEL_CONFIG_NAMES
from ris.cli.console import console
from ris.cli.defects import print_defects
from ris.cli.options import ApiKeyOption, DatabaseUrlOption, LabelStudioUrlOption, PresetOption
from ris.core.types import Task
from ris.datasets.entry import Defect
from ris.errors import InputError, LabelStudioError, TaskError
from ris.labelstudio.api.pushing import Parcel, PredictionWriter
from ris.labelstudio.api.sync import fetch_tasks, read_project
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.region import write_predictions
from ris.labelstudio.task import is_id, read_task
from ris.referring.pipeline import Pipeline
from ris.service.writing import WriteOutcome, write_parcels
from ris.store.learned_rankings import find_ranking_in_use
from ris.store.records import find_alternatives
from ris.store.session import Database

PUSH_BATCH_SIZE = 50
MAX_SHOWN_FAILURES = 20


class EngineName(StrEnum):
    """Where the work is done."""

    local = "local"
    ray = "ray"


def prelabel(
    project: Annotated[int | None, typer.Option(help="of Label Studio: all of its tasks")] = None,
    tasks: Annotated[
        Path | None,
        typer.Option(help="a file: Label Studio's JSON or JSON-MIN, a table; or a folder with captions"),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="folder of the pictures that --tasks names; else where it lies itself")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="of a table that is not UTF-8, e.g. cp1252")] = None,
    layout: Annotated[
        str,
        typer.Option(
            "--config", help=f"label config for --tasks: {', '.join(LABEL_CONFIG_NAMES)}, or a file"
        ),
    ] = LABEL_CONFIG_NAMES[0],
    push: Annotated[bool, typer.Option("--push", help="store them in Label Studio too")] = False,
    out: Annotated[Path | None, typer.Option(help="write the tasks with their predictions here")] = None,
    workers: Annotated[int, typer.Option(help="processes, each with networks of its own", min=1)] = 1,
    engine: Annotated[EngineName, typer.Option(help="this machine, or a Ray cluster")] = EngineName.local,
    address: Annotated[str | None, typer.Option(help="of the Ray cluster; none starts one here")] = None,
    gpus: Annotated[float, typer.Option(help="of the cluster, for each worker", min=0)] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on where a run was stopped: always done")
    ] = True,
    preset: PresetOption = None,
    url: LabelStudioUrlOption = None,
    key: ApiKeyOption = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Compute suggestions for tasks that have none.

    A stored suggestion is never computed again: after an interruption, run the same command again. Exit
    status 1 means that some tasks failed.

    Example: `ris prelabel --project 3 --push --workers 2`
    """
    settings = config.read_settings(
        preset=preset, label_studio_url=url, label_studio_api_key=SecretStr(key) if key else None,
        database_url=database_url,
    )  # fmt: skip
    if (project is None) == (tasks is None):
        raise InputError("name the tasks with --project NUMBER or with --tasks FILE")
    if push and project is None:
        raise InputError("--push stores predictions in a project: name it with --project NUMBER")
    client = assembly.make_label_studio_client(settings)
    entries: Sequence[dict[str, Any]]
    parts: Callable[[], tuple[Pipeline, ImageFetcher]] = partial(assembly.load_worker, settings)
    left_out: Sequence[Defect] = ()
    if project is not None:
        state = read_project(client, project)
        controls, name = read_controls(str(state.body.get("label_config") or "")), state.key
        entries = list(fetch_tasks(client, project))
    else:
        assert tasks is not None
        controls = read_controls(_read_label_config(layout))
        file = read_task_file(tasks, DataKeys(controls.image_key, controls.expression_key), encoding)
        entries, name, left_out = file.tasks, file.key, file.left_out
        folder, limits = images or file.folder, (settings.max_image_bytes, settings.max_image_pixels)
        parts = partial(load_worker_with_folder, parts, folder.resolve(), *limits)
    known, failed = _read_tasks(entries, name, controls)
    plan = assembly.make_plan(settings)
    database = Database.open(settings.database_url)
    try:
        with database.begin() as session:
            learned = find_ranking_in_use(session, plan.version)
        version = learned.version if learned else plan.version
        lacking = find_unanswered_tasks(database, known, version)
        console.print(
            f"{len(entries)} tasks, {len(known) - len(lacking)} of them done before, {len(lacking)} to do"
        )
        if lacking:
            ranking = VersionedCoefficients(learned.coefficients, learned.version) if learned else None
            make = partial(Labeller, parts, ranking)
            working = _make_engine(engine, make, workers, address, gpus)
            failed += _run_engine(database, working, lacking, version, settings)
        if push and project is not None:
            _push_suggestions(PredictionWriter(client), database, project, known, controls, version)
        if out is not None:
            by_id = {task.task_id: task for task in known}
            write_tasks(out, entries, partial(_make_predictions, database, by_id, controls, version))
            console.print(f"{len(entries)} tasks with their predictions: {out}")
    finally:
        database.close()
    print_defects(left_out)
    _print_failures(failed)


def _run_engine(
    database: Database, engine: Engine, lacking: Sequence[Task], version: str, settings: config.Settings
) -> list[FailedTask]:
    failed: list[FailedTask] = []
    with _make_progress() as progress:
        bar = progress.add_task("suggestions", total=len(lacking), rate="")
        steps = run(
            database, engine, lacking, version=version, shuffled_share=settings.shuffled_share,
            now=assembly.get_utc_now,
        )  # fmt: skip
        for group, wrong in steps:
            failed += wrong
            progress.advance(bar, len(group.tasks))
            speed = progress.tasks[bar].speed
            progress.update(bar, rate=f"{speed:.2f} tasks/s" if speed else "")
    return failed


def _make_progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=console,
    )  # fmt: skip


def _make_engine(
    name: EngineName, make: "partial[Labeller]", workers: int, address: str | None, gpus: float
) -> Engine:
    if name is EngineName.local:
        return ProcessEngine(make, workers)
    from ris.batch.cluster import RayEngine

    return RayEngine(make, workers, address=address, gpus=gpus)


def _push_suggestions(
    pushing: PredictionWriter,
    database: Database,
    project: int,
    known: Sequence[Task],
    controls: Controls,
    version: str,
) -> None:
    stored, outcomes = 0, Counter[WriteOutcome]()
    with _make_progress() as progress:
        bar = progress.add_task("into Label Studio", total=len(known), rate="")
        for start in range(0, len(known), PUSH_BATCH_SIZE):
            part = known[start : start + PUSH_BATCH_SIZE]
            with database.begin() as session:
                found = [Parcel(task, find_alternatives(session, task, version) or ()) for task in part]
            parcels = [parcel for parcel in found if parcel.offers]
            written = write_parcels(database, pushing, parcels, controls, version, now=assembly.get_utc_now)
            stored += written.n_new
            outcomes.update(written.outcomes)
            progress.advance(bar, len(part))
    pushing.show_version(project, version)
    console.print(f"{stored} predictions stored in Label Studio; those that were there stay as they are")
    if outcomes[WriteOutcome.held]:
        console.print(
            f"{outcomes[WriteOutcome.held]} tasks are being written by somebody else, such as `ris serve`"
        )
    if not_there := outcomes[WriteOutcome.refused] + outcomes[WriteOutcome.unknown]:
        raise LabelStudioError(
            f"Label Studio took no predictions of {not_there} tasks, or did not say; the warnings above say "
            "why: run this again once that is mended"
        )


def _make_predictions(
    database: Database, known: dict[int, Task], controls: Controls, version: str, entry: dict[str, Any]
) -> list[dict[str, Any]] | None:
    task = known.get(entry["id"]) if is_id(entry["id"]) else None
    if task is None:
        return None
    with database.begin() as session:
        offers = find_alternatives(session, task, version) or ()
    return write_predictions(offers, controls, version=version)


def _read_tasks(
    entries: Sequence[dict[str, Any]], project: str, controls: Controls
) -> tuple[list[Task], list[FailedTask]]:
    known, failed = [], []
    for entry in entries:
        try:
            task = read_task(entry, project, controls)
            if not task.expression:
                raise TaskError(f"task {task.task_id} waits for its expression to be typed")
            known.append(task)
        except TaskError as error:
            failed.append(FailedTask(entry["id"] if is_id(entry.get("id")) else -1, str(error)))
    return known, failed


def _read_label_config(layout: str) -> str:
    if layout in LABEL_CONFIG_NAMES:
        return str(label_config.read(f"{layout}.xml"))
    if Path(layout).is_file():
        return Path(layout).read_text(encoding="utf-8")
    raise InputError(
        f"there is no label config {layout!r}; --config can be {', '.join(LABEL_CONFIG_NAMES)} or a file"
    )


def _print_failures(failed: Sequence[FailedTask]) -> None:
    if not failed:
        return
    table = Table("task", "reason", title=f"{len(failed)} tasks have no suggestions")
    for one in failed[:MAX_SHOWN_FAILURES]:
        table.add_row(str(one.task_id), one.reason)
    if len(failed) > MAX_SHOWN_FAILURES:
        table.add_row("...", f"and {len(failed) - MAX_SHOWN_FAILURES} more")
    console.print(table, markup=False)
