"""`ris prelabel`: suggestions for the tasks of a project or of a file."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ris import assembly, config, planning
from ris.batch.engine import Engine, FinishedShard, ProcessEngine
from ris.batch.guard import DEFAULT_LIMIT_S
from ris.batch.load import FailedTask, LoadedShard
from ris.batch.manifest import IMAGES_PER_BLOCK, read_blocks
from ris.batch.prelabel import load_shards, plan_tasks, prelabel_tasks
from ris.batch.run_folder import RunFolder
from ris.batch.work import GroupFetcher, Labeller, VersionedCoefficients
from ris.cli.connect import LABEL_CONFIG_NAMES
from ris.cli.console import console, make_rate_progress
from ris.cli.defects import DefectCounter
from ris.cli.options import DatabaseUrlOption, KeyOption, PresetOption, UrlOption, apply_options
from ris.cli.prelabel_input import StoredTasks, open_project, open_task_file, store_tasks
from ris.cli.prelabel_output import FailureLog, push_predictions, write_prediction_file
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
    workers: Annotated[
        int,
        typer.Option(help="number of workers, on Ray the largest number; each loads its own networks", min=1),
    ] = 1,
    engine: Annotated[
        EngineName, typer.Option(help="run on this machine or on a Ray cluster")
    ] = EngineName.local,
    address: Annotated[
        str | None, typer.Option(help="address of the Ray cluster; default: start Ray on this machine")
    ] = None,
    min_workers: Annotated[
        int, typer.Option(help="on Ray: start with so many workers, and never have fewer", min=1)
    ] = 1,
    gpus: Annotated[float, typer.Option(help="GPUs of the Ray cluster for each worker", min=0)] = 0,
    work: Annotated[
        Path,
        typer.Option(help="folder for what is in work; a killed run is gone on with from there"),
    ] = Path("ris-prelabel"),
    shard_images: Annotated[
        int, typer.Option(help="images whose results are written and stored together", min=1)
    ] = IMAGES_PER_BLOCK,
    time_limit: Annotated[
        float,
        typer.Option(
            help="seconds for fetching an image, and again for the networks on it with all its expressions;"
            " then its tasks fail and the run goes on",
            min=1,
        ),
    ] = DEFAULT_LIMIT_S,
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
        source = open_project(settings, project)
    else:
        assert tasks is not None
        source = open_task_file(settings, tasks, layout, images=images, encoding=encoding)
    failed, defects = FailureLog(), DefectCounter()
    with RunFolder(work, source.project) as folder, closing(Database.open(settings.database_url)) as database:
        stored = store_tasks(source, folder.entries, defects)
        learned, version = _choose_version(settings, database)
        n_missing = _plan(settings, database, folder, stored, version, failed, shard_images)
        print_preset_advice(settings, _read_first_tasks(folder), source.load_fetcher())
        if n_missing:
            make_labeller = partial(Labeller, partial(assembly.load_worker_pipeline, settings), learned)
            make_fetcher = partial(GroupFetcher, source.load_fetcher)
            if engine is EngineName.local:
                pool: Engine = ProcessEngine(make_fetcher, make_labeller, workers, limit_s=time_limit)
            else:
                from ris.batch.cluster import RayEngine  # here: Ray is an extra

                pool = RayEngine(
                    make_fetcher, make_labeller, workers, address=address, min_count=min_workers, gpus=gpus,
                    limit_s=time_limit,
                )  # fmt: skip
            steps = prelabel_tasks(
                database, pool, folder, shuffled_share=settings.shuffled_share, now=assembly.get_utc_now
            )
            _show_progress(steps, n_missing, failed)
        defects.print()
        failed.print()
        if out is not None:
            write_prediction_file(out, stored, database, version)
        if push and project is not None:  # last: a refusal ends the command
            push_predictions(settings, database, project, stored, version)
    if failed.n_failed:
        raise TaskError(
            f"{failed.n_failed} of {stored.n_entries} tasks have no suggestions; the table above gives the "
            "reasons"
        )


def _choose_version(
    settings: config.Settings, database: Database
) -> tuple[VersionedCoefficients | None, str]:
    """Return the learned ranking in use, and the version of the suggestions."""
    plan = planning.make_plan(settings)
    with database.begin() as session:
        learned = find_ranking_in_use(session, plan.version)
    version = make_suggestion_version(learned.version if learned else plan.version, settings.alternatives)
    return (VersionedCoefficients(learned.coefficients, learned.version) if learned else None), version


def _plan(
    settings: config.Settings,
    database: Database,
    folder: RunFolder,
    stored: StoredTasks,
    version: str,
    failed: FailureLog,
    images_per_block: int,
) -> int:
    """Load what an interrupted run left, and plan what is missing; return the number of its tasks."""
    n_loaded = sum(
        loaded.n_new
        for loaded in load_shards(
            database, folder.shards, shuffled_share=settings.shuffled_share, now=assembly.get_utc_now
        )
    )
    if n_loaded:
        console.print(f"{n_loaded} tasks that an interrupted run had computed were stored")

    def take_tasks() -> Iterator[Task]:
        for _, task in stored.read():
            if isinstance(task, FailedTask):
                failed.add(task)
            else:
                yield task

    n_missing = plan_tasks(
        database, take_tasks(), version, folder.manifest, images_per_block=images_per_block
    )
    n_done = stored.n_entries - failed.n_failed - n_missing
    console.print(f"{stored.n_entries} tasks, {n_done} of them done before, {n_missing} to do")
    return n_missing


def _read_first_tasks(folder: RunFolder) -> Iterator[Task]:
    """Yield one task of each image of the manifest."""
    return (group.tasks[0] for block in read_blocks(folder.manifest) for group in block.groups)


def _show_progress(
    steps: Iterable[tuple[FinishedShard, LoadedShard]], n_missing: int, failed: FailureLog
) -> None:
    n_images, worked_s, waited_s, started = 0, 0.0, 0.0, time.monotonic()
    with make_rate_progress(console) as progress:
        bar = progress.add_task("suggestions", total=n_missing, rate="")
        for shard, loaded in steps:
            for one in loaded.failed:
                failed.add(one)
            n_images += loaded.n_images
            worked_s, waited_s = worked_s + shard.worked_s, waited_s + shard.waited_s
            progress.advance(bar, loaded.n_tasks)
            rate = n_images / (time.monotonic() - started)
            progress.update(bar, rate=f"{rate:.2f} images/s")
    if worked_s:
        share = waited_s / (worked_s + waited_s)
        console.print(
            f"{n_images} images, {rate:.2f} a second; the networks waited {share:.1%} of their time"
        )
