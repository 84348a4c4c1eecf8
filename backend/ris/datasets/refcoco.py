"""Read the files of RefCOCO and gRefCOCO as the readers of REFER and gRefCOCO do.

Source: `refer.py` of lichengunc/refer and `grefer.py` of henghuiding/gRefCOCO. An expression belongs to a
ref. A ref belongs to one annotation; in gRefCOCO to several, or to -1 for no target. The mask is the union of
the polygons or run lengths.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ris.core.masks import unite_masks
from ris.core.rle import RLE
from ris.core.types import Size
from ris.datasets.entry import (
    WITHOUT_MASK,
    Defect,
    Entry,
    RecordIndex,
    RecordSource,
    get_field,
    raise_on_defect,
    read_json,
    read_record_size,
    to_expression_text,
    to_id,
    to_path,
)
from ris.datasets.pickles import read_pickle
from ris.datasets.segmentation import read_segmentation
from ris.errors import DatasetError

_REFS_PATTERNS = ("refs(*).p", "refs(*).json", "grefs(*).json")
_NO_TARGET_ID = -1


def read_refs(folder: Path, split_by: str | None = None) -> Iterator[Entry]:
    """Read a dataset as `scan_refs` does, but refuse defects.

    Raises:
        DatasetError: a file is missing, or there is a defect; the message names the ref.
    """
    return raise_on_defect(scan_refs(folder, split_by))


def scan_refs(folder: Path, split_by: str | None = None) -> Iterator[Entry | Defect]:
    """Yield one entry for each sentence of each ref, in the order of the file, and the defects.

    The name of an image is taken from `instances.json`. Published refs also have a name, but with the id of
    the annotation appended (`COCO_train2014_000000581857_16.jpg`), and no such file exists.

    A ref whose mask cannot be read exactly gives a defect, and entries without a mask. If a ref has several
    annotations, one unreadable annotation is enough for this.

    Args:
        folder: has `instances.json`, and one of `refs(...).p`, `refs(...).json`, `grefs(...).json`.
        split_by: the text in the brackets, such as "unc", "umd" or "google"; None takes the first file.

    Raises:
        DatasetError: a file is missing or cannot be read.
    """
    instances = read_json(folder / "instances.json")
    images = RecordIndex(get_field(instances, "images", "instances.json"), "id", "instances.json", "image")
    notes = RecordIndex(
        get_field(instances, "annotations", "instances.json"), "id", "instances.json", "annotation"
    )
    for number, ref in enumerate(_read_refs_file(folder, split_by), 1):
        yield from scan_ref(ref, number, images, notes)


def scan_ref(
    ref: Mapping[str, Any], number: int, images: RecordSource, notes: RecordSource
) -> Iterator[Entry | Defect]:
    """Yield the entries of one ref, one for each sentence, and its defects.

    Args:
        ref: the ref.
        number: its place in the file, from 1.
        images: of `instances.json`.
        notes: the annotations of `instances.json`.
    """
    what = f"ref {str(ref['ref_id'])[:20]}" if "ref_id" in ref else f"ref at place {number}"
    try:
        image, sentences = images.find(get_field(ref, "image_id")), get_field(ref, "sentences")
        if not isinstance(sentences, list):
            raise DatasetError("its sentences are not a list")
        name = to_path(image.get("file_name") or ref.get("file_name"))
        ids = get_field(ref, "ann_id")
        numbers = [to_id(one) for one in ids] if isinstance(ids, list) else [to_id(ids)]
        has_referent = _has_referent(ref, numbers)
        if not sentences:
            raise DatasetError("it has no sentences")
    except DatasetError as error:
        yield Defect(what, str(error))
        return
    mask, size = None, read_record_size(image)
    try:
        if has_referent:
            mask = _read_mask(numbers, notes, ref["image_id"], size)
            size = mask.size
    except DatasetError as error:
        yield Defect(what, str(error), WITHOUT_MASK)
    for sentence in sentences:
        try:
            expression = to_expression_text(
                sentence.get("raw") or get_field(sentence, "sent", "one of its sentences")
            )
        except (DatasetError, AttributeError) as error:
            yield Defect(
                what, str(error) if isinstance(error, DatasetError) else "a sentence is not an object"
            )
            continue
        yield Entry(expression, name, size, mask, has_referent, str(ref.get("split") or "train"))


def list_split_authors(folder: Path) -> tuple[str, ...]:
    """List the authors of the splits: the texts in the brackets of the names of the refs files."""
    return tuple(dict.fromkeys(_parse_split_by(path) for path in _find_refs_files(folder)))


def _find_refs_files(folder: Path) -> list[Path]:
    return [path for kind in _REFS_PATTERNS for path in sorted(folder.glob(kind))]


def _parse_split_by(path: Path) -> str:
    return path.stem.partition("(")[2].removesuffix(")")


def _read_refs_file(folder: Path, split_by: str | None) -> Sequence[Mapping[str, Any]]:
    paths = _find_refs_files(folder)
    if not paths:
        raise DatasetError(f"{folder} has no refs(...).p, refs(...).json or grefs(...).json")
    found = [path for path in paths if split_by in (None, _parse_split_by(path))]
    if not found:
        names = ", ".join(path.name for path in paths)
        raise DatasetError(f"{folder} has no refs split by {split_by!r:.40}; it has {names}")
    refs = read_pickle(found[0]) if found[0].suffix == ".p" else read_json(found[0])
    if not isinstance(refs, list) or not all(isinstance(ref, dict) for ref in refs):
        raise DatasetError(f"{found[0]} must hold a list of refs")
    return refs


def _has_referent(ref: Mapping[str, Any], numbers: Sequence[int | str]) -> bool:
    """Return whether a ref has a target. gRefCOCO marks a ref without one by annotation -1 or "no_target".

    Raises:
        DatasetError: the two marks contradict each other.
    """
    mark = ref.get("no_target")
    is_marked = mark is not None and to_id(mark) in (1, "True", "true")
    if is_marked and numbers not in ([], [_NO_TARGET_ID]):
        raise DatasetError('it has both "no_target" and an annotation')
    if mark is not None and not is_marked and numbers == [_NO_TARGET_ID]:
        raise DatasetError('its annotation is -1, but its "no_target" is not true')
    return not is_marked and numbers != [_NO_TARGET_ID]


def _read_mask(numbers: Sequence[int | str], notes: RecordSource, image_id: object, size: Size | None) -> RLE:
    if not numbers:
        raise DatasetError("it names no annotation")
    parts = []
    for number in numbers:
        note = notes.find(number)
        if to_id(note.get("image_id", image_id)) != to_id(image_id):
            raise DatasetError("its annotation belongs to another image")
        parts.append(read_segmentation(note.get("segmentation"), size))
    if len({part.size for part in parts}) > 1:
        raise DatasetError("its annotations have different sizes")
    return parts[0] if len(parts) == 1 else unite_masks(parts)
