"""Read files of tasks (Label Studio's JSON and JSON-MIN, tables, folders), and write predictions to them."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ris.core.scratch import open_scratch
from ris.datasets.delimited import ColumnNames
from ris.datasets.entry import Defect
from ris.datasets.rows import normalise_row, read_image_and_expression
from ris.datasets.streams import stream_rows
from ris.datasets.tables import find_table_file
from ris.errors import DatasetError, InputError

_WHOLE_NUMBER = re.compile(r"[0-9]{1,11}(\.0+)?")


@dataclass(frozen=True, slots=True)
class DataKeys:
    """The keys of a task's data that a label config reads."""

    image: str = "image"
    expression: str = "expression"


class TaskFile:
    """A file of tasks, or the captions file of a folder.

    Args:
        path: the file or the folder.
        keys: keys for the image and the expression of a row that is not a task of Label Studio already.
        encoding: of a table; None detects it.

    Attributes:
        path: the file.
        key: used as the project's key; it depends on the content alone.
        folder: folder of the file, and of the images that it names by a path.

    Raises:
        InputError: there is no such file.
    """

    def __init__(self, path: Path, keys: DataKeys, encoding: str | None = None) -> None:
        try:
            self.path = find_table_file(path)
            self.key = compute_file_key(self.path)
        except (DatasetError, OSError) as error:
            raise InputError(f"{path} is not a file of tasks: {_describe_error(path, error)}") from error
        self.folder = self.path.parent
        self._keys, self._encoding = keys, encoding

    def scan(self) -> Iterator[dict[str, Any] | Defect]:
        """Yield the tasks and the parts that are not tasks.

        Each task has "id" and "data"; without ids in the file they are numbered from 1.

        Raises:
            InputError: it is not a file of tasks, or has none; or, after all tasks were yielded, its ids are
                not unique.
        """
        numbers = _TaskNumbers(self.path)
        first: Defect | None = None
        try:
            for row in self._read_rows():
                if isinstance(row, Defect):
                    first = first or row
                    yield row
                else:
                    yield numbers.number(row)
        except DatasetError as error:
            raise InputError(f"{self.path} is not a file of tasks: {error}") from error
        if first is not None and not numbers.n_tasks:
            raise InputError(f"{self.path} must hold a list of tasks: {first.what}: {first.reason}")
        numbers.check()

    def _read_rows(self) -> Iterator[dict[str, Any] | Defect]:
        names = ColumnNames.from_preferred(self._keys.image, self._keys.expression)
        has_objects, rows = stream_rows(self.path, names, self._encoding)
        make_row = _task_from_object if has_objects else _task_from_cells
        for one in rows:
            yield (
                one
                if isinstance(one, Defect)
                else _make_task(*one, partial(make_row, keys=self._keys, names=names))
            )


def _describe_error(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{path} cannot be read: {type(error).__name__}: {error.strerror}"
    return str(error)


def _make_task(
    what: str, row: Mapping[str, Any], make: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any] | Defect:
    try:
        return make(row)
    except DatasetError as error:
        return Defect(what, str(error))


def _task_from_cells(row: Mapping[str, Any], keys: DataKeys, names: ColumnNames) -> dict[str, Any]:
    """Make a task of a table's row: its image, its expression, and its id if that is a whole number."""
    image, words = read_image_and_expression(row, names)
    return _get_id_field(row) | {"data": {keys.image: image, keys.expression: words}}


def _task_from_object(row: Mapping[str, Any], keys: DataKeys, names: ColumnNames) -> dict[str, Any]:
    """Make a task of a JSON object, which is a task or the data of one."""
    if "data" in row:
        return dict(row)
    named = normalise_row(row)
    if doubt := names.find_ambiguity(named):
        raise DatasetError(doubt)
    try:
        image, words = read_image_and_expression(named, names)
    except DatasetError:  # the label config may read other keys; a missing value is reported by task
        return _get_id_field(row) | {"data": dict(row)}
    return _get_id_field(row) | {"data": {keys.image: image, keys.expression: words, **row}}


def _get_id_field(row: Mapping[str, Any]) -> dict[str, Any]:
    own = _parse_id(row.get("id"))
    return {} if own is None else {"id": own}


class _TaskNumbers:
    """Numbers the tasks of a file, and checks that their ids are unique; the ids are on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._scratch = open_scratch("CREATE TABLE task (id TEXT PRIMARY KEY) WITHOUT ROWID")
        self.n_tasks = self._n_lacking = self._n_repeated = 0

    def number(self, task: dict[str, Any]) -> dict[str, Any]:
        """Return a task with its own id as a number, or with its place among the tasks."""
        self.n_tasks += 1
        own = _parse_id(task.get("id"))
        name = own if own is not None else task.get("id")
        if name is None:
            self._n_lacking += 1
            return {**task, "id": self.n_tasks}
        added = self._scratch.execute("INSERT OR IGNORE INTO task VALUES (?)", (json.dumps(str(name)),))
        self._n_repeated += 1 - added.rowcount
        return {**task, "id": name}

    def check(self) -> None:
        """Check that all tasks or none have ids, and that no two are the same.

        Raises:
            InputError: they have not, or there is no task.
        """
        self._scratch.close()
        if not self.n_tasks:
            raise InputError(f"{self._path} has no task")
        if 0 < self._n_lacking < self.n_tasks:
            raise InputError(
                f"{self._path}: {self._n_lacking} of {self.n_tasks} tasks have no id that is a whole number; "
                "give an id to each or to none"
            )
        if self._n_repeated:
            n_ids = self.n_tasks - self._n_repeated
            raise InputError(
                f"{self._path}: {self.n_tasks} tasks have {n_ids} different ids; give an id to each or to "
                "none"
            )


def _parse_id(value: object) -> int | None:
    """Return a value as an id, also if it is text or 7.0; None if it is not a whole number."""
    if isinstance(value, str):
        return int(float(value)) if _WHOLE_NUMBER.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def compute_file_key(path: Path) -> str:
    """Compute the project key of a file's tasks from its content."""
    with path.open("rb") as file:
        return f"file.{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"


def write_tasks(path: Path, tasks: Iterable[tuple[dict[str, Any], Sequence[dict[str, Any]] | None]]) -> None:
    """Write tasks with their predictions; the file gets its name when it is complete.

    Annotations without an id get one, because Label Studio marks annotations with an id as imported.

    Args:
        path: the file.
        tasks: as Label Studio's JSON, each with its predictions; None leaves the task unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    # A lone surrogate (half an emoji) is written as its JSON escape, as it was read.
    with unfinished.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write("[\n")
        for number, (task, predictions) in enumerate(tasks):
            file.write(",\n" if number else "")
            numbered = _number_annotations(task)
            content = numbered if predictions is None else {**numbered, "predictions": predictions}
            json.dump(content, file, ensure_ascii=False)
        file.write("\n]\n")
    unfinished.replace(path)


def _number_annotations(task: dict[str, Any]) -> dict[str, Any]:
    """Return a task whose annotations all have an id."""
    answers = task.get("annotations")
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        return task
    return {**task, "annotations": [{"id": number, **one} for number, one in enumerate(answers, 1)]}
