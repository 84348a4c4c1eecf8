"""Read files of tasks (Label Studio's JSON and JSON-MIN, tables, folders), and write predictions to them."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ris.datasets.delimited import ColumnNames
from ris.datasets.entry import Defect
from ris.datasets.objects import is_json
from ris.datasets.rows import normalise_row, read_image_and_expression
from ris.datasets.tables import find_table_file, read_rows
from ris.datasets.text import read_text
from ris.errors import DatasetError, InputError

_WHOLE_NUMBER = re.compile(r"[0-9]{1,11}(\.0+)?")


@dataclass(frozen=True, slots=True)
class DataKeys:
    """The keys of a task's data that a label config reads."""

    image: str = "image"
    expression: str = "expression"


@dataclass(frozen=True, slots=True)
class TaskFile:
    """The content of a file.

    Attributes:
        tasks: each with "id" and "data"; without ids in the file they are numbered from 1.
        left_out: parts of the file that are not tasks.
        key: used as the project's key; it depends on the content alone.
        folder: folder of the file, and of the images that it names by a path.
    """

    tasks: tuple[dict[str, Any], ...]
    left_out: tuple[Defect, ...]
    key: str
    folder: Path


def read_task_file(path: Path, keys: DataKeys, encoding: str | None = None) -> TaskFile:
    """Read the tasks of a file, or of the captions file of a folder.

    Args:
        path: the file or the folder.
        keys: keys for the image and the expression of a row that is not a task of Label Studio already.
        encoding: of a table; None detects it.

    Raises:
        InputError: it is not a file of tasks, its ids are not unique, or it has no task.
    """
    try:
        path = find_table_file(path)
        text = read_text(path, encoding)
        names = ColumnNames.from_preferred(keys.image, keys.expression)
        make_row = _task_from_object if is_json(text) else _task_from_cells
        tasks: list[dict[str, Any]] = []
        left_out: list[Defect] = []
        for one in read_rows(text, path, names):
            task = (
                one
                if isinstance(one, Defect)
                else _make_task(*one, partial(make_row, keys=keys, names=names))
            )
            left_out.append(task) if isinstance(task, Defect) else tasks.append(task)
    except DatasetError as error:
        raise InputError(f"{path} is not a file of tasks: {error}") from error
    if left_out and not tasks:
        raise InputError(f"{path} must hold a list of tasks: {left_out[0].what}: {left_out[0].reason}")
    if not tasks:
        raise InputError(f"{path} has no task")
    return TaskFile(tuple(_number_tasks(tasks, path)), tuple(left_out), compute_file_key(path), path.parent)


def read_file_tasks(path: Path) -> list[dict[str, Any]]:
    """Read only the tasks of a file; see `read_task_file`."""
    return list(read_task_file(path, DataKeys()).tasks)


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


def _number_tasks(listed: Sequence[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    tasks = [
        one if _parse_id(one.get("id")) is None else {**one, "id": _parse_id(one["id"])} for one in listed
    ]
    ids = [str(one["id"]) for one in tasks if one.get("id") is not None]
    n_lacking, n_ids = len(tasks) - len(ids), len(set(ids))
    if ids and n_lacking:
        raise InputError(
            f"{path}: {n_lacking} of {len(tasks)} tasks have no id that is a whole number; "
            "give an id to each or to none"
        )
    if n_ids < len(ids):
        raise InputError(
            f"{path}: {len(tasks)} tasks have {n_ids} different ids; give an id to each or to none"
        )
    return tasks if ids else [{**one, "id": number} for number, one in enumerate(tasks, 1)]


def _parse_id(value: object) -> int | None:
    """Return a value as an id, also if it is text or 7.0; None if it is not a whole number."""
    if isinstance(value, str):
        return int(float(value)) if _WHOLE_NUMBER.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def compute_file_key(path: Path) -> str:
    """Compute the project key of a file's tasks from its content."""
    return f"file.{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


def write_tasks(
    path: Path,
    tasks: Iterable[dict[str, Any]],
    predictions_of: Callable[[dict[str, Any]], Sequence[dict[str, Any]] | None],
) -> None:
    """Write tasks with their predictions; the file gets its name when it is complete.

    Annotations without an id get one, because Label Studio marks annotations with an id as imported.

    Args:
        path: the file.
        tasks: as Label Studio's JSON.
        predictions_of: returns the predictions of a task; None leaves the task unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    # A lone surrogate (half an emoji) is written as its JSON escape, as it was read.
    with unfinished.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write("[\n")
        for number, task in enumerate(tasks):
            predictions = predictions_of(task)
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
