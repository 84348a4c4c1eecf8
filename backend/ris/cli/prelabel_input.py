"""Input of `ris prelabel`: the tasks of a project of Label Studio, or of a file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ris import assembly, config, label_config
from ris.batch.entries import read_entries, write_entries
from ris.batch.load import FailedTask
from ris.batch.local import load_folder_fetcher
from ris.batch.taskfile import DataKeys, TaskFile
from ris.batch.work import ImageFetcher
from ris.cli.connect import LABEL_CONFIG_NAMES
from ris.cli.defects import DefectCounter
from ris.core.types import Task
from ris.datasets.entry import Defect
from ris.errors import InputError, TaskError
from ris.labelstudio.api.listing import fetch_tasks
from ris.labelstudio.api.sync import read_project
from ris.labelstudio.config.control import Controls, read_controls
from ris.labelstudio.fields import is_id
from ris.labelstudio.task import read_task


@dataclass(frozen=True, slots=True)
class TaskSource:
    """Where tasks come from, and how to process them.

    Attributes:
        name: of the file or of the project, for messages.
        project: key of the project that the tasks belong to.
        entries: every task as Label Studio's JSON, and the parts that are no tasks; it can be read once.
        controls: the label config, which decides what predictions look like.
        load_fetcher: makes the image source; it is sent to the worker processes.
    """

    name: str
    project: str
    entries: Iterator[dict[str, Any] | Defect]
    controls: Controls
    load_fetcher: Callable[[], ImageFetcher]


@dataclass(frozen=True, slots=True)
class StoredTasks:
    """The tasks of a run in a file, which can be read again and again.

    Attributes:
        path: of the file, see `batch.entries`.
        n_entries: their number.
        project: key of their project.
        controls: of the label config.
    """

    path: Path
    n_entries: int
    project: str
    controls: Controls

    def read(self) -> Iterator[tuple[dict[str, Any], Task | FailedTask]]:
        """Yield each entry with its task, or with the reason why it has no image or no expression."""
        for entry in read_entries(self.path):
            yield entry, _read_entry(entry, self.project, self.controls)


def store_tasks(source: TaskSource, path: Path, defects: DefectCounter) -> StoredTasks:
    """Read the tasks of a source once, and store them.

    Args:
        source: the tasks.
        path: file to write.
        defects: counts what is no task.

    Raises:
        InputError: the source has no task, or its ids are not unique.
        LabelStudioError: Label Studio refused or did not answer.
    """

    def take_entries() -> Iterator[dict[str, Any]]:
        for entry in source.entries:
            if isinstance(entry, Defect):
                defects.add(entry)
            else:
                yield entry

    n_entries = write_entries(path, take_entries())
    if not n_entries:
        raise InputError(f"there are no tasks in {source.name}; import some first")
    return StoredTasks(path, n_entries, source.project, source.controls)


def open_project(settings: config.Settings, number: int) -> TaskSource:
    """Open a project of Label Studio; its tasks are fetched when they are read.

    Raises:
        LabelStudioError: Label Studio refused or did not answer.
        LabelConfigError: the project's label config cannot be used.
    """
    client = assembly.make_label_studio_client(settings)
    project = read_project(client, number)
    controls = read_controls(str(project.body.get("label_config") or ""))
    load_fetcher = partial(assembly.make_image_source, settings)
    return TaskSource(f"project {number}", project.key, fetch_tasks(client, number), controls, load_fetcher)


def open_task_file(
    settings: config.Settings, path: Path, layout: str, *, images: Path | None, encoding: str | None
) -> TaskSource:
    """Open a file of tasks or a folder with captions.

    Args:
        settings: for the networks and the limits of images.
        path: the file or the folder.
        layout: name of a label config of this package, or path of a file with one.
        images: folder of the images that the file names; None for the folder of the file.
        encoding: of a table; None detects it.

    Raises:
        InputError: there is no such label config, or no such file.
    """
    controls = read_controls(_read_label_config(layout))
    file = TaskFile(path, DataKeys(controls.image_key, controls.expression_key), encoding)
    folder = (images or file.folder).resolve()
    load_fetcher = partial(
        load_folder_fetcher, partial(assembly.make_image_source, settings), folder,
        settings.max_image_bytes, settings.max_image_pixels,
    )  # fmt: skip
    return TaskSource(str(path), file.key, file.scan(), controls, load_fetcher)


def _read_entry(entry: dict[str, Any], project: str, controls: Controls) -> Task | FailedTask:
    try:
        task = read_task(entry, project, controls)
        if not task.expression:
            raise TaskError(f"task {task.task_id} has no expression yet; the annotator types it")
    except TaskError as error:
        return FailedTask(entry["id"] if is_id(entry.get("id")) else -1, str(error))
    return task


def _read_label_config(layout: str) -> str:
    if layout in LABEL_CONFIG_NAMES:
        return str(label_config.read(f"{layout}.xml"))
    if Path(layout).is_file():
        return Path(layout).read_text(encoding="utf-8")
    raise InputError(
        f"there is no label config {layout!r}; --config can be {', '.join(LABEL_CONFIG_NAMES)} or a file"
    )
