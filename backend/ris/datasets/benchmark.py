"""A dataset as a benchmark: which one it is, how it is split, and whether all of it is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ris.datasets.entry import Entry
from ris.datasets.phrasecut import IMAGES_FILE, find_images_file, read_phrasecut
from ris.datasets.refcoco import list_split_authors, read_refs
from ris.errors import DatasetError

TRAIN_SPLIT = "train"

PUBLISHED_COUNTS = {
    ("refcoco", "unc", "val"): 10834,
    ("refcoco", "unc", "testA"): 5657,
    ("refcoco", "unc", "testB"): 5095,
    ("refcoco+", "unc", "val"): 10758,
    ("refcoco+", "unc", "testA"): 5726,
    ("refcoco+", "unc", "testB"): 4889,
    ("refcocog", "umd", "val"): 4896,
    ("refcocog", "umd", "test"): 9602,
    ("refcocog", "google", "val"): 9536,
}
"""How many expressions a published split has, by dataset, who split it, and split.

Source: the per-expression result files of github.com/lijiachen8863/LGD, counted. Splits that are not here
were not counted.
"""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A dataset that methods are tried on.

    Attributes:
        name: of its folder: "refcoco", "refcoco+", "refcocog", "grefcoco", "PhraseCut", or one's own.
        split_by: by whom, e.g. "unc"; "" where there is but one way.
        entries: in the files' order.
    """

    name: str
    split_by: str
    entries: tuple[Entry, ...]

    @property
    def splits(self) -> tuple[str, ...]:
        """Its splits, in the order of their first entries."""
        return tuple(dict.fromkeys(entry.split for entry in self.entries))

    def choose_splits(self, splits: Sequence[str]) -> tuple[str, ...]:
        """Some splits, each once; all but the training's when none are named.

        Raises:
            DatasetError: there is no such split, or only the training's.
        """
        wanted = tuple(dict.fromkeys(splits)) or tuple(split for split in self.splits if split != TRAIN_SPLIT)
        strange = [split for split in wanted if split not in self.splits]
        if strange or not wanted:
            raise DatasetError(
                f"{self.name} has no split {', '.join(strange) or 'but train'}; "
                f"name with --split some of {', '.join(self.splits)}"
            )
        return wanted


def read_benchmark(folder: Path, split_by: str | None = None) -> Benchmark:
    """A folder as RefCOCO, RefCOCO+, RefCOCOg, gRefCOCO or PhraseCut are published, or an export of ours.

    Args:
        folder: with `instances.json` and refs, or with `refer_<split>.json` and the list of images.
        split_by: which refs, where there are several.

    Raises:
        DatasetError: it is none of these, cannot be read, or has several refs and none was named.
    """
    name = folder.resolve().name
    if find_images_file(folder) is not None:
        return Benchmark(name, "", tuple(read_phrasecut(folder)))
    if not (folder / "instances.json").is_file():
        raise DatasetError(
            f"{folder} has neither instances.json nor {IMAGES_FILE}; "
            "give the folder of one dataset, such as refcoco, refcoco+, refcocog or grefcoco"
        )
    known = list_split_authors(folder)
    if split_by is None and len(known) > 1:
        raise DatasetError(
            f"{folder} is split in several ways; choose with --split-by one of {', '.join(known)}"
        )
    return Benchmark(name, split_by or (known[0] if known else ""), tuple(read_refs(folder, split_by)))


def make_count_warning(name: str, split_by: str, split: str, count: int) -> str:
    """The sentence that says that a split is not the published one; "" where it is, or nobody counted."""
    published = PUBLISHED_COUNTS.get((name, split_by, split), count)
    if published == count:
        return ""
    return (
        f"{name} ({split_by}) {split} has {count} expressions here, as published {published}: "
        "figures of a part do not compare with those of the papers"
    )
