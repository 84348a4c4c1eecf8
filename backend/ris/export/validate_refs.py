"""Read RefCOCO's and gRefCOCO's files of an export back, ref by ref, and compare them with the record.

RefCOCO has its refs twice. The refs are read from the JSON file. The pickle must have the bytes of the pickle
of these refs: to unpickle it would need all refs in memory.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from ris.datasets.entry import Entry, raise_on_defect
from ris.datasets.refcoco import scan_ref
from ris.errors import DatasetError
from ris.export.dataset import DatasetSample
from ris.export.differences import Problems, compare_entries
from ris.export.material import Material
from ris.export.reading import StoredRecords, compute_file_digest, read_items
from ris.export.ref_pickle import RefPickler
from ris.export.refcoco import make_ref


def validate_refcoco(material: Material, folder: Path) -> Problems:
    """Compare the files of the format `refcoco` with the record."""
    refs, pickled = folder / "refs(ris).json", folder / "refs(ris).p"
    samples = (sample for sample in material.samples if sample.mask is not None)
    yield from _compare_refs(folder, refs, samples, material.n_sample_masks)
    if compute_file_digest(pickled) != _compute_pickle_digest(refs):
        yield f"{pickled.name} does not hold the refs of {refs.name}"


def validate_grefcoco(material: Material, folder: Path) -> Problems:
    """Compare the files of the format `grefcoco` with the record."""
    yield from _compare_refs(folder, folder / "grefs(ris).json", material.samples, len(material.samples))


def _compare_refs(folder: Path, refs: Path, samples: Iterable[DatasetSample], n_samples: int) -> Problems:
    n_refs = sum(1 for _ in read_items(refs, "item.ref_id"))
    if n_refs != n_samples:
        yield f"{n_refs} expressions in {refs.name}, {n_samples} on record"
        return
    yield from compare_entries(zip(_read_entries(folder / "instances.json", refs), samples, strict=True))


def _read_entries(instances: Path, refs: Path) -> Iterator[Entry]:
    images = StoredRecords(instances, "images.item", "id", "image")
    notes = StoredRecords(instances, "annotations.item", "id", "annotation")
    for number, ref in enumerate(read_items(refs, "item"), 1):
        yield from raise_on_defect(scan_ref(ref, number, images, notes))


def _compute_pickle_digest(refs: Path) -> str:
    """Return the SHA-256 of the pickle of the refs in a JSON file, as `ris export` writes it.

    Raises:
        DatasetError: the file cannot be read, or a ref is not as `ris export` writes it.
    """
    hashed = _HashedFile()
    pickles = RefPickler(hashed)
    for number, ref in enumerate(read_items(refs, "item"), 1):
        try:
            made = make_ref(
                number, ref["image_id"], ref["sentences"][0]["raw"], ref["file_name"], ref["image_url"],
                sys.intern(ref["split"]),  # the pickle writes each split once
            )  # fmt: skip
        except (KeyError, IndexError, TypeError) as error:
            raise DatasetError(f"ref {number} of {refs.name} lacks a field") from error
        if made != ref:
            raise DatasetError(f"ref {number} of {refs.name} was changed after the export")
        pickles.add(made)
    pickles.close()
    return hashed.digest.hexdigest()


class _HashedFile:
    """Takes what is written, and keeps its digest alone."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return len(data)
