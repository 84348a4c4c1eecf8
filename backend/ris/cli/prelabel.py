"""`ris prelabel`: suggestions for the tasks of a project or of a file."""

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ris import assembly, config, planning
from ris.batch.engine import Engine, ProcessEngine
from ris.batch.prelabel import FailedTask, find_unanswered_tasks, prelabel_tasks
from ris.batch.work import Labeller, VersionedCoefficients
from ris.cli.connect import LABEL_CONFIG_NAMES
from ris.cli.console import console, make_rate_progress
from ris.cli.defects import print_defects
from ris.cli.options import DatabaseUrlOption, KeyOption, PresetOption, UrlOption, apply_options
from ris.cli.prelabel_input import read_file_input, read_project_input
from ris.cli.prelabel_output import print_failed_tasks, push_predictions, write_prediction_file
from ris.cli.preset_advice import print_preset_advice
from ris.core.types import Task
from ris.errors import InputError, TaskError
from ris.referring.ranking import make_suggestion_version
from ris.store.learned_rankings import find_ranking_in_use
from ris.store.session import Database


class EngineName(StrEnum):
    """Where the workers run."""

    local = "local"
    ray = "ray"


def prelabel(
    project: Annotated[
        int | None, typer.Option(help="number of a project in Label Studio; all of its tasks are read")
    ] = None,
    tasks: Annotated[
        Path | None,
        typer.Option(
            help="file of tasks (Label Studio's JSON or JSON-MIN, a table), or folder with captions"
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="folder of the images that --tasks names; default: the folder of that file"),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="encoding of a table that is not UTF-8, e.g. cp1252")
    ] = None,
    layout: Annotated[
        str,
        typer.Option(
            "--config", help=f"label config for --tasks: {', '.join(LABEL_CONFIG_NAMES)}, or a file"
        ),
    ] = LABEL_CONFIG_NAMES[0],
    push: Annotated[
        bool, typer.Option("--push", help="store the suggestions in Label Studio as predictions")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="file for the tasks with their predictions")] = None,
    workers: Annotated[int, typer.Option(help="number of processes; each loads its own networks", min=1)] = 1,
    engine: Annotated[
        EngineName, typer.Option(help="run on this machine or on a Ray cluster")
    ] = EngineName.local,
    address: Annotated[
        str | None, typer.Option(help="address of the Ray cluster; default: start Ray on this machine")
    ] = None,
    gpus: Annotated[float, typer.Option(help="GPUs of the Ray cluster for each worker", min=0)] = 0,
    preset: PresetOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Compute suggestions for tasks that have none.

    A stored suggestion is never computed again: after an interruption, run the same command again. Exit
    status 1 means that some tasks failed.

    Example: `ris prelabel --project 3 --push --workers 2`
    """
    settings = apply_options(url=url, key=key, database_url=database_url, preset=preset)
    settings = planning.settle_precision(settings)
    if (project is None) == (tasks is None):
        raise InputError("name the tasks with --project NUMBER or with --tasks FILE")
    if push and project is None:
        raise InputError("--push stores predictions in a project: name it with --project NUMBER")
    if project is not None:
        found = read_project_input(settings, project)
    else:
        assert tasks is not None
        found = read_file_input(settings, tasks, layout, images=images, encoding=encoding)
    plan = planning.make_plan(settings)
    database = Database.open(settings.database_url)
    try:
        with database.begin() as session:
            learned = find_ranking_in_use(session, plan.version)
        version = make_suggestion_version(learned.version if learned else plan.version, settings.alternatives)
        missing = find_unanswered_tasks(database, found.tasks, version)
        n_stored = len(found.tasks) - len(missing)
        console.print(f"{len(found.entries)} tasks, {n_stored} of them done before, {len(missing)} to do")
        failed = list(found.failed)
        if not found.entries:
            raise InputError(f"there are no tasks in {tasks or f'project {project}'}; import some first")
        print_preset_advice(settings, missing, found.fetch)
        if missing:
            ranking = VersionedCoefficients(learned.coefficients, learned.version) if learned else None
            make_labeller = partial(Labeller, found.load_worker, ranking)
            pool = _make_engine(engine, make_labeller, workers, address, gpus)
            failed += _run_engine(database, pool, missing, version, settings)
        print_defects(found.left_out)
        print_failed_tasks(failed)
        if out is not None:
            write_prediction_file(out, found, database, version)
        if push and project is not None:  # last: a refusal ends the command
            push_predictions(settings, database, project, found, version)
    finally:
        database.close()
    if failed:
        raise TaskError(
            f"{len(failed)} of {len(found.entries)} tasks have no suggestions; the table above gives the "
            "reasons"
        )


def _make_engine(
    name: EngineName, make_labeller: "partial[Labeller]", workers: int, address: str | None, gpus: float
) -> Engine:
    if name is EngineName.local:
        return ProcessEngine(make_labeller, workers)
    from ris.batch.cluster import RayEngine  # here: Ray is an extra

    return RayEngine(make_labeller, workers, address=address, gpus=gpus)


def _run_engine(
    database: Database, engine: Engine, missing: Sequence[Task], version: str, settings: config.Settings
) -> list[FailedTask]:
    failed: list[FailedTask] = []
    with make_rate_progress(console) as progress:
        bar = progress.add_task("suggestions", total=len(missing), rate="")
        steps = prelabel_tasks(
            database, engine, missing, version=version, shuffled_share=settings.shuffled_share,
            now=assembly.get_utc_now,
        )  # fmt: skip
        for group, failed_of_group in steps:
            failed += failed_of_group
            progress.advance(bar, len(group.tasks))
            speed = progress.tasks[bar].speed
            progress.update(bar, rate=f"{speed:.2f} tasks/s" if speed else "")
    return failed
