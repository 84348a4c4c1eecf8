"""Import datasets as tasks: images, expressions, and ground-truth masks."""

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
from ris.labelstudio.config.control import Controls

_SOURCE_KEY = "ris_image"  # in a task's meta: the image's name in the dataset
_ANNOTATION_KEYS = ("result", "was_cancelled", "ground_truth", "lead_time")
_PREDICTION_KEYS = ("result", "score", "model_version")


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as it was read.

    Attributes:
        entries: the usable entries, in the order of the files.
        defects: the unusable parts, each with the reason and what was done.
    """

    entries: tuple[Entry, ...]
    defects: tuple[Defect, ...]


def read_dataset(source: Path, encoding: str | None = None, names: ColumnNames | None = None) -> Dataset:
    """Read a dataset in any known format. A defect in one part does not stop the others.

    Args:
        source: a folder laid out as RefCOCO, gRefCOCO or PhraseCut, a folder with a captions file, a table,
            or a JSON file.
        encoding: of a table; None detects it.
        names: of a table's columns.

    Raises:
        DatasetError: the format is unknown, the files cannot be read, or no entry is usable.
    """
    if not source.exists():
        raise DatasetError(f"{source} does not exist; name a folder or a file of a dataset")
    if (source / "instances.json").is_file():
        parts = scan_refs(source)
    elif find_images_file(source):
        parts = scan_phrasecut(source)
    else:
        parts = scan_image_table(source, encoding, names or ColumnNames())
    entries: list[Entry] = []
    defects: list[Defect] = []
    for part in parts:
        if isinstance(part, Defect):
            defects.append(part)
        else:
            entries.append(part)
    return make_dataset(entries, defects, source)


def make_dataset(entries: Sequence[Entry], defects: Sequence[Defect], source: Path) -> Dataset:
    """Return the dataset of these entries and defects.

    Args:
        entries: the usable entries.
        defects: the unusable parts.
        source: named in the error.

    Raises:
        DatasetError: there is no entry; the message quotes the first defect.
    """
    if not defects and not entries:
        raise DatasetError(f"{source} contains no expression; an import needs at least one")
    if defects and not entries:
        raise DatasetError(f"no part of {source} can be used: {defects[0].what}: {defects[0].reason}")
    return Dataset(tuple(entries), tuple(defects))


def make_tasks(
    entries: Iterable[Entry], controls: Controls, to_reference: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Return one task for each entry, as Label Studio imports it.

    A known mask becomes an annotation marked as ground truth. It is not recorded as a decision until an
    annotator changes it. Fields of an entry that was read from Label Studio's JSON are kept.

    Args:
        entries: of the dataset.
        controls: of the project's label config.
        to_reference: maps an image's name in the dataset to the reference that Label Studio shows.

    Raises:
        LabelConfigError: the label config's image tag cannot show such a reference.
    """
    return [_make_task(entry, controls, to_reference(entry.image)) for entry in entries]


def _make_task(entry: Entry, controls: Controls, reference: str) -> dict[str, Any]:
    own = entry.task
    data = controls.to_data(reference, entry.expression, own.get("data", {}))
    meta = own.get("meta")
    kept_meta = dict(meta) if isinstance(meta, Mapping) else {}
    if reference != _get_source_name(entry):
        kept_meta[_SOURCE_KEY] = _get_source_name(entry)
    task: dict[str, Any] = {"data": data, **({"meta": kept_meta} if kept_meta else {})}
    for name, kept_keys in (("annotations", _ANNOTATION_KEYS), ("predictions", _PREDICTION_KEYS)):
        values = own.get(name)
        objects = [one for one in values if isinstance(one, Mapping)] if isinstance(values, list) else []
        if objects:
            task[name] = [{key: one[key] for key in kept_keys if key in one} for one in objects]
    if own:
        return task
    data["split"] = entry.split
    truth = write_ground_truth(entry.mask, controls) if entry.mask or not entry.has_referent else []
    if truth:
        task["annotations"] = [{"result": truth, "ground_truth": True, "was_cancelled": False}]
    return task


def make_image_reference(prefix: str, name: str) -> str:
    r"""Join a prefix and an image's name, with forward slashes; a name that is an address stays as it is.

    After a web address or an absolute path, the name is percent-encoded. Of a path of another machine
    (`C:\...`, `/home/...`), or one that leads out of the folder, only the last part is used.

    Args:
        prefix: what Label Studio needs before the name; "" returns the name.
        name: of the image in the dataset.
    """
    if not prefix or is_address(name):
        return name
    path = to_inner_path(name)
    is_served = prefix.startswith(("http://", "https://", "/"))
    return prefix + (quote(path, safe="/") if is_served else path)


def find_images(dataset: Dataset, folder: Path) -> tuple[dict[str, Path], Dataset]:
    """Find the images of a dataset in a folder.

    Args:
        dataset: the entries that name the images.
        folder: searched with its subfolders.

    Returns:
        The file of each image by its name in the dataset, and the dataset without the images not found.

    Raises:
        DatasetError: no image is there; the message names the first.
    """
    images, names = ImageFolder(folder), {entry.image: _get_source_name(entry) for entry in dataset.entries}
    found = {
        name: path
        for name, source in names.items()
        if (path := images.find(source) or images.find(name)) is not None
    }
    missing = [name for name in names if name not in found]
    if missing and not found:
        raise DatasetError(
            f"{len(missing)} images are not in {folder}, the first is {missing[0]!r:.80}; check --images"
        )
    reasons = dict.fromkeys(missing, f"its image is not in {folder}")
    return found, drop_images(dataset, reasons)


def drop_images(dataset: Dataset, reasons: Mapping[str, str]) -> Dataset:
    """Return the dataset without the entries of some images, which become defects.

    Args:
        dataset: the dataset.
        reasons: why each image is dropped, by its name.
    """
    kept = tuple(entry for entry in dataset.entries if entry.image not in reasons)
    dropped = [
        Defect(f"{entry.image!r:.80}", reasons[entry.image])
        for entry in dataset.entries
        if entry.image in reasons
    ]
    return Dataset(kept, (*dataset.defects, *dropped))


def drop_invalid_masks(dataset: Dataset, sizes: Mapping[str, tuple[int, int]]) -> Dataset:
    """Return the dataset without the masks that are empty or of another size than their image.

    Args:
        dataset: the dataset; an entry with a dropped mask stays, and the mask becomes a defect.
        sizes: (height, width) in pixels as displayed, by the image's name; images without a size pass.
    """
    entries, defects = [], list(dataset.defects)
    for entry in dataset.entries:
        reason = ""
        if entry.mask is not None and entry.mask.area_px == 0:
            reason = "its mask has no pixels"
        elif entry.mask is not None and sizes.get(entry.image, entry.mask.size) != entry.mask.size:
            reason = "its mask is of another size than its image"
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
    """Which entries a project lacks.

    Attributes:
        missing: the entries without a task, in order.
        present: the entries that are tasks already, each with the position of its task in the listing.
        references: the image references of the project's tasks, by the image's name in the dataset.
    """

    missing: tuple[Entry, ...]
    present: tuple[tuple[Entry, int], ...]
    references: Mapping[str, str]

    @property
    def n_present(self) -> int:
        """The number of entries that are tasks already."""
        return len(self.present)


def make_import_plan(
    entries: Sequence[Entry], tasks: Iterable[Mapping[str, Any]], controls: Controls
) -> ImportPlan:
    """Find the entries that are not yet tasks of a project.

    An entry is a task already when a task has the same expression and the same image; one task stands for one
    entry. Images are compared by their name in the dataset, which `make_tasks` writes into a task's meta.
    Tasks without it are compared by the end of their image's address, as in an upload.

    Args:
        entries: of the dataset.
        tasks: of the project, as the API lists them.
        controls: of the project's label config.
    """
    by_name: dict[tuple[str, str], list[int]] = {}
    by_upload_name: dict[tuple[str, str], list[int]] = {}
    references: dict[str, str] = {}
    for number, task in enumerate(tasks):
        data, meta = task.get("data") or {}, task.get("meta") or {}
        reference = controls.image_field.read(data) or ""
        expression = (controls.expression_field.read(data) or "").strip()
        source = meta.get(_SOURCE_KEY) if isinstance(meta, Mapping) else None
        by_name.setdefault((reference, expression), []).append(number)
        if isinstance(source, str):
            by_name.setdefault((source, expression), []).append(number)
            references[source] = reference
        else:
            by_upload_name.setdefault((to_upload_name(reference), expression), []).append(number)
    missing, present, taken = [], [], set()
    for entry in entries:
        keys = (
            (by_name, _get_source_name(entry)),
            (by_name, entry.image),
            (by_upload_name, to_upload_name(entry.image)),
        )
        same = [found for index, name in keys for found in index.get((name, entry.expression), ())]
        number = next((found for found in same if found not in taken), -1)
        if number < 0:
            missing.append(entry)
        else:
            taken.add(number)
            present.append((entry, number))
    return ImportPlan(tuple(missing), tuple(present), references)


def _get_source_name(entry: Entry) -> str:
    """Return the image's name in the dataset from which the entry was read first."""
    meta = entry.task.get("meta")
    source = meta.get(_SOURCE_KEY) if isinstance(meta, Mapping) else None
    return source if isinstance(source, str) else entry.image
