"""Known datasets become tasks: images, expressions, and masks that are known as ground truth."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ris.datasets.delimited import ColumnNames
from ris.datasets.entry import WITHOUT_MASK, Defect, Entry
from ris.datasets.files import ImageFolder, is_address, to_inner_path, to_upload_name
from ris.datasets.phrasecut import find_images_file, scan_phrasecut
from ris.datasets.refcoco import scan_refs
from ris.datasets.tables import scan_image_table
from ris.errors import DatasetError
from ris.labelstudio.answer import write_ground_truth
from ris.labelstudio.api.protocol import LabelStudioApi
from ris.labelstudio.config.control import Controls

TASKS_PER_IMPORT = 200
_SOURCE_KEY = "ris_image"  # in a task's meta: the image's name in the dataset
_ANNOTATION_KEYS = ("result", "was_cancelled", "ground_truth", "lead_time")
_PREDICTION_KEYS = ("result", "score", "model_version")


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was read: the entries that can be used, and what cannot.

    Attributes:
        entries: in the files' order.
        defects: each with what became of it.
    """

    entries: tuple[Entry, ...]
    defects: tuple[Defect, ...]


def read_dataset(source: Path, encoding: str | None = None, names: ColumnNames | None = None) -> Dataset:
    """A dataset, whatever its format. One bad part of it never stops the rest.

    Args:
        source: a folder in the manner of RefCOCO, gRefCOCO or PhraseCut, or with a captions file; or a table,
            or JSON.
        encoding: of a table, when a person named it.
        names: of a table's columns.

    Raises:
        DatasetError: it is none of these, cannot be read, or nothing of it can be used.
    """
    if not source.exists():
        raise DatasetError(f"{source} is not there")
    if (source / "instances.json").is_file():
        read = scan_refs(source)
    elif find_images_file(source):
        read = scan_phrasecut(source)
    else:
        read = scan_image_table(source, encoding, names or ColumnNames())
    entries: list[Entry] = []
    defects: list[Defect] = []
    for one in read:
        if isinstance(one, Defect):
            defects.append(one)
        else:
            entries.append(one)
    return make_dataset(entries, defects, source)


def make_dataset(entries: Sequence[Entry], defects: Sequence[Defect], source: Path) -> Dataset:
    """What is left; an error when that is nothing.

    Raises:
        DatasetError: there is no entry; the message has the first defect.
    """
    if not defects and not entries:
        raise DatasetError(f"{source} holds no expression")
    if defects and not entries:
        raise DatasetError(f"nothing of {source} can be used: {defects[0].what}: {defects[0].reason}")
    return Dataset(tuple(entries), tuple(defects))


def make_tasks(
    entries: Iterable[Entry], controls: Controls, refer: Callable[[str], str]
) -> list[dict[str, Any]]:
    """A task an expression, as Label Studio imports them.

    A known mask becomes an annotation that is marked as ground truth. It is nobody's decision, and the record
    leaves it alone until somebody changes it. What Label Studio's own JSON says of a task is kept.

    Args:
        refer: from an image's name in the dataset to what Label Studio shows.

    Raises:
        LabelConfigError: the label config's image shows no such reference.
    """
    return [_make_task(entry, controls, refer(entry.image)) for entry in entries]


def _make_task(entry: Entry, controls: Controls, reference: str) -> dict[str, Any]:
    own = entry.task
    data = controls.to_data(reference, entry.expression, own.get("data", {}))
    meta = own.get("meta")
    kept_meta = dict(meta) if isinstance(meta, Mapping) else {}
    if reference != _get_source_name(entry):
        kept_meta[_SOURCE_KEY] = _get_source_name(entry)
    task: dict[str, Any] = {"data": data, **({"meta": kept_meta} if kept_meta else {})}
    for name, kept in (("annotations", _ANNOTATION_KEYS), ("predictions", _PREDICTION_KEYS)):
        given = own.get(name)
        found = [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
        if found:
            task[name] = [{key: one[key] for key in kept if key in one} for one in found]
    if own:
        return task
    data["split"] = entry.split
    truth = write_ground_truth(entry.mask, controls) if entry.mask or not entry.has_referent else []
    if truth:
        task["annotations"] = [{"result": truth, "ground_truth": True, "was_cancelled": False}]
    return task


def make_image_reference(prefix: str, name: str) -> str:
    """An image's name behind a prefix, with forward slashes; what is an address already stays.

    Behind an address or a path of a server it is quoted, as in a browser. A path of another machine
    (`C:\\...`, `/home/...`) or one that leads upwards gives its last part.
    """
    if not prefix or is_address(name):
        return name
    path = to_inner_path(name)
    is_served = prefix.startswith(("http://", "https://", "/"))
    return prefix + (quote(path, safe="/") if is_served else path)


def find_images(dataset: Dataset, folder: Path) -> tuple[dict[str, Path], Dataset]:
    """By an image's name in the dataset its file in a folder, and the dataset without what has none.

    Raises:
        DatasetError: none is there; the message names the first.
    """
    pictures, names = ImageFolder(folder), {entry.image: _get_source_name(entry) for entry in dataset.entries}
    found = {
        name: path
        for name, source in names.items()
        if (path := pictures.find(source) or pictures.find(name)) is not None
    }
    missing = [name for name in names if name not in found]
    if missing and not found:
        raise DatasetError(f"{len(missing)} images are not in {folder}, the first is {missing[0]!r:.120}")
    reasons = dict.fromkeys(missing, f"its image is not in {folder}")
    return found, drop_images(dataset, reasons)


def drop_images(dataset: Dataset, reasons: Mapping[str, str]) -> Dataset:
    """A dataset without the entries of some images.

    Args:
        reasons: by the image's name.
    """
    kept = tuple(entry for entry in dataset.entries if entry.image not in reasons)
    left_out = [
        Defect(f"{entry.image!r:.80}", reasons[entry.image])
        for entry in dataset.entries
        if entry.image in reasons
    ]
    return Dataset(kept, (*dataset.defects, *left_out))


def drop_invalid_masks(dataset: Dataset, sizes: Mapping[str, tuple[int, int]]) -> Dataset:
    """A dataset without the masks that have no pixels or are not of their picture's size.

    Args:
        sizes: (height, width) as displayed, by the image's name, of the pictures that were looked at.
    """
    entries, defects = [], list(dataset.defects)
    for entry in dataset.entries:
        reason = ""
        if entry.mask is not None and entry.mask.area_px == 0:
            reason = "its mask has no pixels"
        elif entry.mask is not None and sizes.get(entry.image, entry.mask.size) != entry.mask.size:
            reason = "its mask is of another size than its picture"
        if reason:
            defects.append(Defect(f"{entry.expression!r:.60} of {entry.image!r:.60}", reason, WITHOUT_MASK))
        entries.append(
            Entry(entry.expression, entry.image, entry.size, None, True, entry.split, entry.task)
            if reason
            else entry
        )
    return Dataset(tuple(entries), tuple(defects))


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a project has already.

    Attributes:
        left: the entries that it lacks, in order.
        n_present: how many it has.
        references: by an image's name in the dataset what its tasks call it, where that is known for certain.
    """

    missing: tuple[Entry, ...]
    n_present: int
    references: Mapping[str, str]


def make_import_plan(
    entries: Sequence[Entry], tasks: Iterable[Mapping[str, Any]], controls: Controls
) -> ImportPlan:
    """Which entries are tasks already: the same words about the same image, as often as there are such tasks.

    An image is the same by its name in the dataset, which `make_tasks` puts into a task's meta. Tasks that
    came
    in another way are known by the end of their image's address, as uploads spell it.

    Args:
        tasks: of the project, as its API lists them.
    """
    by_name: dict[tuple[str, str], list[int]] = {}
    alike: dict[tuple[str, str], list[int]] = {}
    references: dict[str, str] = {}
    for number, task in enumerate(tasks):
        data, meta = task.get("data") or {}, task.get("meta") or {}
        reference = controls.image_field.read(data) or ""
        words = (controls.expression_field.read(data) or "").strip()
        source = meta.get(_SOURCE_KEY) if isinstance(meta, Mapping) else None
        by_name.setdefault((reference, words), []).append(number)
        if isinstance(source, str):
            by_name.setdefault((source, words), []).append(number)
            references[source] = reference
        else:
            alike.setdefault((to_upload_name(reference), words), []).append(number)
    left, taken = [], set()
    for entry in entries:
        keys = (
            (by_name, _get_source_name(entry)),
            (by_name, entry.image),
            (alike, to_upload_name(entry.image)),
        )
        same = [found for index, name in keys for found in index.get((name, entry.expression), ())]
        number = next((found for found in same if found not in taken), -1)
        if number < 0:
            left.append(entry)
        else:
            taken.add(number)
    return ImportPlan(tuple(left), len(entries) - len(left), references)


def _get_source_name(entry: Entry) -> str:
    """The image's name in the dataset that an entry was first read from."""
    meta = entry.task.get("meta")
    source = meta.get(_SOURCE_KEY) if isinstance(meta, Mapping) else None
    return source if isinstance(source, str) else entry.image


def push_tasks(
    api: LabelStudioApi, project: int, tasks: Sequence[dict[str, Any]], began: Callable[[int], None]
) -> int:
    """Import tasks, some hundred at a time; how many Label Studio took.

    Args:
        began: told how many went.

    Raises:
        LabelStudioError: it refused; what went before is there.
    """
    taken = 0
    for start in range(0, len(tasks), TASKS_PER_IMPORT):
        part = list(tasks[start : start + TASKS_PER_IMPORT])
        answer = api.call("POST", f"/api/projects/{project}/import", part)
        taken += int(answer.get("task_count", 0))
        began(len(part))
    return taken
