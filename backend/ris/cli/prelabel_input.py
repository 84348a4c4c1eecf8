"""Input of `ris prelabel`: the tasks of a project of Label Studio, or of a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ris import assembly, config, label_config
from ris.batch.local import load_worker_with_folder, make_folder_fetcher
from ris.batch.prelabel import FailedTask
from ris.batch.taskfile import DataKeys, read_task_file
from ris.batch.work import ImageFetcher
from ris.cli.connect import LABEL_CONFIG_NAMES
from ris.core.types import Task
from ris.datasets.entry import Defect
from ris.errors import InputError, TaskError
from ris.labelstudio.api.listing import fetch_tasks
from ris.labelstudio.api.sync import read_project
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.fields import is_id
from ris.labelstudio.task import read_task
from ris.referring.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class TaskInput:
    """Tasks, and how to process them.

    Attributes:
        entries: every task as Label Studio's JSON.
        tasks: those of the entries that have an image and an expression.
        failed: the other entries, each with its reason.
        left_out: parts of a file that are not tasks.
        controls: the label config, which decides what predictions look like.
        load_worker: loads the networks and the image source; it is sent to the worker processes.
        fetch: the image source alone.
    """

    entries: Sequence[dict[str, Any]]
    tasks: Sequence[Task]
    failed: Sequence[FailedTask]
    left_out: Sequence[Defect]
    controls: Controls
    load_worker: Callable[[], tuple[Pipeline, ImageFetcher]]
    fetch: ImageFetcher


def read_project_input(settings: config.Settings, number: int) -> TaskInput:
    """Fetch all tasks of a project.

    Raises:
        LabelStudioError: Label Studio refused or did not answer.
        LabelConfigError: the project's label config cannot be used.
    """
    client = assembly.make_label_studio_client(settings)
    project = read_project(client, number)
    controls = read_controls(str(project.body.get("label_config") or ""))
    entries = list(fetch_tasks(client, number))
    tasks, failed = _read_tasks(entries, project.key, controls)
    fetch = assembly.make_image_source(settings)
    return TaskInput(entries, tasks, failed, (), controls, partial(assembly.load_worker, settings), fetch)


def read_file_input(
    settings: config.Settings, path: Path, layout: str, *, images: Path | None, encoding: str | None
) -> TaskInput:
    """Read the tasks of a file or of a folder with captions.

    Args:
        settings: for the networks and the limits of images.
        path: the file or the folder.
        layout: name of a label config of this package, or path of a file with one.
        images: folder of the images that the file names; None for the folder of the file.
        encoding: of a table; None detects it.

    Raises:
        InputError: there is no such label config, or the file is not a file of tasks.
    """
    controls = read_controls(_read_label_config(layout))
    file = read_task_file(path, DataKeys(controls.image_key, controls.expression_key), encoding)
    tasks, failed = _read_tasks(file.tasks, file.key, controls)
    place = (images or file.folder).resolve(), settings.max_image_bytes, settings.max_image_pixels
    load_worker = partial(load_worker_with_folder, partial(assembly.load_worker, settings), *place)
    fetch = make_folder_fetcher(assembly.make_image_source(settings), *place)
    return TaskInput(file.tasks, tasks, failed, file.left_out, controls, load_worker, fetch)


def _read_tasks(
    entries: Sequence[dict[str, Any]], project: str, controls: Controls
) -> tuple[list[Task], list[FailedTask]]:
    tasks, failed = [], []
    for entry in entries:
        try:
            task = read_task(entry, project, controls)
            if not task.expression:
                raise TaskError(f"task {task.task_id} has no expression yet; the annotator types it")
            tasks.append(task)
        except TaskError as error:
            failed.append(FailedTask(entry["id"] if is_id(entry.get("id")) else -1, str(error)))
    return tasks, failed


def _read_label_config(layout: str) -> str:
    if layout in LABEL_CONFIG_NAMES:
        return str(label_config.read(f"{layout}.xml"))
    if Path(layout).is_file():
        return Path(layout).read_text(encoding="utf-8")
    raise InputError(
        f"there is no label config {layout!r}; --config can be {', '.join(LABEL_CONFIG_NAMES)} or a file"
    )
