"""Files of tasks: Label Studio's JSON and JSON-MIN, tables, folders; and the same with predictions."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.datasets.entry import Defect, Entry
from backend.datasets.objects import is_json, read_objects
from backend.datasets.separated import Names
from backend.datasets.tables import read_row, scan_table, table_of
from backend.datasets.text import read_text
from backend.errors import DatasetError, InputError

ANNOTATION = "annotation_id"  # what a row of JSON-MIN has: Label Studio writes one an annotation


@dataclass(frozen=True, slots=True)
class Keys:
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


def read_task_file(path: Path, keys: Keys, encoding: str | None = None) -> TaskFile:
    """The tasks of a file, or of the captions file of a folder.

    Args:
        keys: under which a row's image and words are put where it has none of its own there.
        encoding: when a person named it.

    Raises:
        InputError: it is no such file, its ids do not tell its tasks apart, or nothing of it is a task.
    """
    try:
        path = table_of(path)
        text = read_text(path, encoding)
        names = Names.wanting(keys.image, keys.expression)
        if is_json(text):
            listed, left_out = _from_json(text, path, keys, names)
        else:
            listed, left_out = _from_table(path, keys, names, encoding)
    except DatasetError as error:
        raise InputError(f"{path} is no file of tasks: {error}") from error
    if left_out and not listed:
        raise InputError(f"{path} must hold a list of tasks: {left_out[0].what}: {left_out[0].reason}")
    return TaskFile(tuple(_numbered(listed, path)), tuple(left_out), file_key(path), path.parent)


def read_tasks(path: Path) -> list[dict[str, Any]]:
    """The tasks of a file alone, see `read_task_file`."""
    return list(read_task_file(path, Keys()).tasks)


def _from_table(
    path: Path, keys: Keys, names: Names, encoding: str | None
) -> tuple[list[dict[str, Any]], list[Defect]]:
    tasks: list[dict[str, Any]] = []
    left_out: list[Defect] = []
    for one in scan_table(path, encoding, names):
        if isinstance(one, Entry):
            tasks.append({"data": {keys.image: one.image, keys.expression: one.expression}})
        else:
            left_out.append(one)
    return tasks, left_out


def _from_json(text: str, path: Path, keys: Keys, names: Names) -> tuple[list[dict[str, Any]], list[Defect]]:
    tasks: list[dict[str, Any]] = []
    left_out: list[Defect] = []
    seen: set[object] = set()
    for one in read_objects(text, path):
        if isinstance(one, Defect):
            left_out.append(one)
            continue
        what, task = one
        if "data" in task:
            tasks.append(task)
        elif ANNOTATION not in task or task.get("id") not in seen:  # of JSON-MIN, a task once
            seen.add(task.get("id"))
            tasks.append(_from_row(what, task, keys, names))
    return tasks, left_out


def _from_row(what: str, row: Mapping[str, Any], keys: Keys, names: Names) -> dict[str, Any]:
    """A task of a row that is all data. Its id is the row's own where that can be one."""
    found = next((one for one in read_row(what, row, names) if isinstance(one, Entry)), None)
    lacking = {keys.image: found.image, keys.expression: found.expression} if found else {}
    own = _id_of(row.get("id"))
    return ({} if own is None else {"id": own}) | {"data": {**lacking, **row}}


def _numbered(listed: Sequence[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    tasks = [one if _id_of(one.get("id")) is None else {**one, "id": _id_of(one["id"])} for one in listed]
    ids = {str(one["id"]) for one in tasks if "id" in one}
    if ids and len(ids) < len(tasks):
        raise InputError(
            f"{path}: {len(tasks)} tasks have {len(ids)} different ids; give an id to each or to none"
        )
    return [{"id": number, **one} for number, one in enumerate(tasks, 1)]


def _id_of(value: object) -> int | None:
    """A number that can be an id, also where it was written as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def file_key(path: Path) -> str:
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
            told = _number_answers(task)
            json.dump(told if found is None else {**told, "predictions": found}, file, ensure_ascii=False)
        file.write("\n]\n")
    unfinished.replace(path)


def _number_answers(task: dict[str, Any]) -> dict[str, Any]:
    """A task whose annotations all have an id."""
    answers = task.get("annotations")
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        return task
    return {**task, "annotations": [{"id": number, **one} for number, one in enumerate(answers, 1)]}
