"""Known datasets become tasks: images, expressions, and masks that are known as ground truth."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from backend.datasets.entry import Entry
from backend.datasets.phrasecut import IMAGES, read_phrasecut
from backend.datasets.refcoco import read_refs
from backend.datasets.tables import read_table
from backend.errors import DatasetError
from backend.labelstudio.answer import write_truth
from backend.labelstudio.control import Controls

TASKS_AT_ONCE = 200


class Api(Protocol):
    """What is needed of Label Studio; `LabelStudioClient` has it."""

    def call(self, method: str, path: str, body: object = None, **params: Any) -> Any: ...

    def upload(self, project: int, name: str, data: bytes) -> str: ...


def read_dataset(source: Path) -> list[Entry]:
    """The entries of a dataset, whatever its format.

    Args:
        source: a folder in the manner of RefCOCO, gRefCOCO or PhraseCut, or with a captions file; or a table.

    Raises:
        DatasetError: it is none of these, or cannot be read.
    """
    if not source.exists():
        raise DatasetError(f"{source} is not there")
    if (source / "instances.json").is_file():
        return list(read_refs(source))
    if (source / IMAGES).is_file():
        return list(read_phrasecut(source))
    return list(read_table(source))


def tasks_of(
    entries: Iterable[Entry], controls: Controls, refer: Callable[[str], str]
) -> list[dict[str, Any]]:
    """A task an expression, as Label Studio imports them.

    A known mask becomes an annotation that is marked as ground truth. It is nobody's decision, and the record
    leaves it alone until somebody changes it.

    Args:
        refer: from an image's name in the dataset to what Label Studio shows.

    Raises:
        LabelConfigError: the label config's image shows no such reference.
    """
    tasks = []
    for entry in entries:
        task: dict[str, Any] = {
            "data": {**controls.to_data(refer(entry.image), entry.expression), "split": entry.split}
        }
        truth = write_truth(entry.mask, controls) if entry.mask or not entry.has_referent else []
        if truth:
            task["annotations"] = [{"result": truth, "ground_truth": True, "was_cancelled": False}]
        tasks.append(task)
    return tasks


def found_images(entries: Iterable[Entry], folder: Path) -> dict[str, Path]:
    """By an image's name in the dataset its file: under that name in the folder, or by its last part.

    Raises:
        DatasetError: some are not there; the message names the first.
    """
    found, missing = {}, []
    for name in dict.fromkeys(entry.image for entry in entries):
        own = [path for path in (folder / name.lstrip("/"), folder / Path(name).name) if path.is_file()]
        if own:
            found[name] = own[0]
        else:
            missing.append(name)
    if missing:
        raise DatasetError(f"{len(missing)} images are not in {folder}, the first is {missing[0]!r:.120}")
    return found


def push(api: Api, project: int, tasks: Sequence[dict[str, Any]], began: Callable[[int], None]) -> int:
    """Import tasks, some hundred at a time; how many Label Studio took.

    Args:
        began: told how many go next.

    Raises:
        LabelStudioError: it refused; what went before is there.
    """
    taken = 0
    for start in range(0, len(tasks), TASKS_AT_ONCE):
        part = list(tasks[start : start + TASKS_AT_ONCE])
        answer = api.call("POST", f"/api/projects/{project}/import", part)
        taken += int(answer.get("task_count", 0))
        began(len(part))
    return taken
