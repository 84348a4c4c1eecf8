"""Read PhraseCut's files of an export back, task by task, and compare them with the record."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ris.datasets.entry import Entry, raise_on_defect, read_json
from ris.datasets.phrasecut import scan_phrase_task
from ris.export.dataset import DatasetSample
from ris.export.differences import Problems, compare_entries
from ris.export.material import Material
from ris.export.phrasecut import IMAGE_LISTS, PHRASE_COUNTS_FILE, PhraseCounts
from ris.export.phrases import Phrase
from ris.export.reading import StoredRecords, has_equal_bytes, read_items


def validate_phrasecut(material: Material, folder: Path) -> Problems:
    """Compare the files of the format `phrasecut` with the record.

    The files of all splits are read side by side, so that the record is read in its own order.
    """
    images = StoredRecords(folder / IMAGE_LISTS[0], "item", "image_id", "image")
    paths = {path.stem.removeprefix("refer_"): path for path in sorted(folder.glob("refer_*.json"))}
    in_files = {split: sum(1 for _ in read_items(path, "item.task_id")) for split, path in paths.items()}
    on_record = Counter(sample.split for sample in material.samples if sample.mask is not None)
    for split in sorted(in_files.keys() | on_record.keys()):
        if in_files.get(split, 0) != on_record[split]:
            yield f"{split}: {in_files.get(split, 0)} expressions in the files, {on_record[split]} on record"
            return
    entries = {split: _read_entries(path, images) for split, path in paths.items()}
    pairs = ((next(entries[sample.split]), sample) for sample in _read_masked(material))
    yield from compare_entries(pairs)
    if not has_equal_bytes(*(folder / name for name in IMAGE_LISTS)):
        yield f"{' and '.join(IMAGE_LISTS)} differ"
    if read_json(folder / PHRASE_COUNTS_FILE) != _count_phrases(paths.values()).to_json():
        yield f"the counts in {PHRASE_COUNTS_FILE} are not those of the phrases in the files"


def _read_masked(material: Material) -> Iterator[DatasetSample]:
    return (sample for sample in material.samples if sample.mask is not None)


def _read_entries(path: Path, images: StoredRecords) -> Iterator[Entry]:
    for number, task in enumerate(read_items(path, "item"), 1):
        yield from raise_on_defect(scan_phrase_task(task, number, images, path))


def _count_phrases(paths: Iterable[Path]) -> PhraseCounts:
    counts = PhraseCounts()
    for path in paths:
        for task in read_items(path, "item"):
            one = task["phrase_structure"]
            relations = tuple(tuple(relation) for relation in one["relation_descriptions"])
            counts.add(Phrase(one["name"], tuple(one["attributes"]), relations))
    return counts
