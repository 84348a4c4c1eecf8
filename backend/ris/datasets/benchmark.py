"""Read a dataset as a benchmark: its name, its splits, and whether the splits are complete."""

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
"""Number of expressions by dataset, author of the split, and split.

Source: counted in the per-expression result files of github.com/lijiachen8863/LGD. Splits that are missing
here were not counted.
"""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A dataset on which methods are evaluated.

    Attributes:
        name: name of its folder, such as "refcoco", "refcoco+", "refcocog", "grefcoco" or "PhraseCut".
        split_by: who defined the splits, such as "unc"; "" if the dataset has only one division.
        entries: the expressions in the order of the files.
    """

    name: str
    split_by: str
    entries: tuple[Entry, ...]

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits, in the order of their first entries."""
        return tuple(dict.fromkeys(entry.split for entry in self.entries))

    def choose_splits(self, splits: Sequence[str]) -> tuple[str, ...]:
        """Choose splits by name; all splits but "train" if no name is given.

        Raises:
            DatasetError: a split does not exist, or no name is given and there is only "train".
        """
        chosen = tuple(dict.fromkeys(splits)) or tuple(split for split in self.splits if split != TRAIN_SPLIT)
        unknown = [split for split in chosen if split not in self.splits]
        if unknown or not chosen:
            raise DatasetError(
                f"{self.name} has no split {', '.join(unknown) or 'but train'}; "
                f"choose with --split from {', '.join(self.splits)}"
            )
        return chosen


def read_benchmark(folder: Path, split_by: str | None = None) -> Benchmark:
    """Read a folder in the published layout of RefCOCO, RefCOCO+, RefCOCOg, gRefCOCO or PhraseCut.

    Args:
        folder: has `instances.json` and refs, or `refer_<split>.json` and the list of images.
        split_by: the author of the splits, if there are refs by several.

    Raises:
        DatasetError: the folder has none of these layouts, a file cannot be read, or there are refs by
            several authors and `split_by` is None.
    """
    name = folder.resolve().name
    if find_images_file(folder) is not None:
        return Benchmark(name, "", tuple(read_phrasecut(folder)))
    if not (folder / "instances.json").is_file():
        raise DatasetError(
            f"{folder} has neither instances.json nor {IMAGES_FILE}; "
            "give the folder of one dataset, such as refcoco, refcoco+, refcocog or grefcoco"
        )
    authors = list_split_authors(folder)
    if split_by is None and len(authors) > 1:
        raise DatasetError(
            f"{folder} is split in several ways; choose with --split-by one of {', '.join(authors)}"
        )
    return Benchmark(name, split_by or (authors[0] if authors else ""), tuple(read_refs(folder, split_by)))


def make_count_warning(name: str, split_by: str, split: str, count: int) -> str:
    """Return a warning if a split does not have its published number of expressions; else "".

    Splits that are not in `PUBLISHED_COUNTS` give no warning.
    """
    published = PUBLISHED_COUNTS.get((name, split_by, split), count)
    if published == count:
        return ""
    return (
        f"{name} ({split_by}) {split} has {count} expressions here and {published} as published: "
        "results on a part cannot be compared with those of the papers"
    )
