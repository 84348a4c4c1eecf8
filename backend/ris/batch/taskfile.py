"""Files of tasks: Label Studio's JSON and JSON-MIN, tables, folders; and the same with predictions."""

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
    """Where a label config looks in a task's data."""

    image: str = "image"
    expression: str = "expression"


@dataclass(frozen=True, slots=True)
class TaskFile:
    """What a file holds.

    Attributes:
        tasks: each with "id" and "data"; those without an id have their place in the file, from 1.
        left_out: what is no task.
        key: stands for the project: the same content is the same project, wherever it lies.
        folder: where the file lies, and so the pictures that it names by a path.
    """

    tasks: tuple[dict[str, Any], ...]
    left_out: tuple[Defect, ...]
    key: str
    folder: Path


def read_task_file(path: Path, keys: DataKeys, encoding: str | None = None) -> TaskFile:
    """The tasks of a file, or of the captions file of a folder.

    Args:
        keys: under which a row's image and words are put where it has none of its own there.
        encoding: when a person named it.

    Raises:
        InputError: it is no such file, its ids do not tell its tasks apart, or nothing of it is a task.
    """
    try:
        path = find_table_file(path)
        text = read_text(path, encoding)
        names = ColumnNames.from_preferred(keys.image, keys.expression)
        make = _task_from_object if is_json(text) else _task_from_cells
        listed: list[dict[str, Any]] = []
        left_out: list[Defect] = []
        for one in read_rows(text, path, names):
            made = one if isinstance(one, Defect) else _make_task(*one, partial(make, keys=keys, names=names))
            left_out.append(made) if isinstance(made, Defect) else listed.append(made)
    except DatasetError as error:
        raise InputError(f"{path} is no file of tasks: {error}") from error
    if left_out and not listed:
        raise InputError(f"{path} must hold a list of tasks: {left_out[0].what}: {left_out[0].reason}")
    if not listed:
        raise InputError(f"{path} holds no task")
    return TaskFile(tuple(_number_tasks(listed, path)), tuple(left_out), compute_file_key(path), path.parent)


def read_file_tasks(path: Path) -> list[dict[str, Any]]:
    """The tasks of a file alone, see `read_task_file`."""
    return list(read_task_file(path, DataKeys()).tasks)


def _make_task(
    what: str, row: Mapping[str, Any], make: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any] | Defect:
    try:
        return make(row)
    except DatasetError as error:
        return Defect(what, str(error))


def _task_from_cells(row: Mapping[str, Any], keys: DataKeys, names: ColumnNames) -> dict[str, Any]:
    """A task of a row of a table: its image and its words, and its id where that can be one."""
    image, words = read_image_and_expression(row, names)
    return _get_id_field(row) | {"data": {keys.image: image, keys.expression: words}}


def _task_from_object(row: Mapping[str, Any], keys: DataKeys, names: ColumnNames) -> dict[str, Any]:
    """A task of JSON, or of an object that is all data, whatever the label config takes of it."""
    if "data" in row:
        return dict(row)
    named = normalise_row(row)
    if doubt := names.find_ambiguity(named):
        raise DatasetError(doubt)
    try:
        image, words = read_image_and_expression(named, names)
    except DatasetError:  # the label config may find them deeper; what it does not find is told by task
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
    """A number that can be an id, also where a program wrote it as text or as 7.0."""
    if isinstance(value, str):
        return int(float(value)) if _WHOLE_NUMBER.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def compute_file_key(path: Path) -> str:
    """What stands for the project of a file's tasks: the same content is the same project."""
    return f"file.{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


def write_tasks(
    path: Path,
    tasks: Iterable[dict[str, Any]],
    predictions_of: Callable[[dict[str, Any]], Sequence[dict[str, Any]] | None],
) -> None:
    """Write tasks with their predictions, one after the other; the file is there when all of it is.

    Answers that the tasks have are numbered, where they are not: Label Studio then knows them as imported.

    Args:
        predictions_of: of a task; None leaves it as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    # A lone surrogate, half an emoji, stands in JSON as its escape, as it came.
    with unfinished.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write("[\n")
        for number, task in enumerate(tasks):
            found = predictions_of(task)
            file.write(",\n" if number else "")
            told = _number_annotations(task)
            json.dump(told if found is None else {**told, "predictions": found}, file, ensure_ascii=False)
        file.write("\n]\n")
    unfinished.replace(path)


def _number_annotations(task: dict[str, Any]) -> dict[str, Any]:
    """A task whose annotations all have an id."""
    answers = task.get("annotations")
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        return task
    return {**task, "annotations": [{"id": number, **one} for number, one in enumerate(answers, 1)]}
