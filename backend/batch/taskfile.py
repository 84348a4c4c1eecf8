"""Tasks in a JSON file, as Label Studio imports and exports them, and the same with predictions."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from backend.errors import InputError


def read_tasks(path: Path) -> list[dict[str, Any]]:
    """The tasks of a file; those without an id get their place in it, from 1.

    Raises:
        InputError: it is no such file.
    """
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no JSON file of tasks: {error}") from error
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise InputError(f"{path} must hold a list of tasks, each an object with data")
    tasks = [one if "data" in one else {"data": one} for one in listed]
    ids = {str(one["id"]) for one in tasks if "id" in one}
    if ids and len(ids) < len(tasks):
        raise InputError(
            f"{path}: {len(tasks)} tasks have {len(ids)} different ids; give an id to each or to none"
        )
    return [{"id": number, **one} for number, one in enumerate(tasks, 1)]


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
    # Half an emoji in one task is written as the escape that it came as, and costs no other task.
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
