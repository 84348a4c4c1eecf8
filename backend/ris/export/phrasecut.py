"""PhraseCut: `refer_<split>.json` with polygons, the list of images, and `name_att_rel_count.json`.

The polygons run through the centres of the outermost pixels, and masks with holes are cut into parts without
holes, so that the loader's drawing reproduces every pixel. PhraseCut cannot represent an expression without
a referent. The list of images is written twice: RefVGLoader opens `image_data_split.json`, and the README of
the dataset names `image_data_split3000.json`.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

from ris.core import rle
from ris.core.outline import Outline, trace_centre_outlines
from ris.export.dataset import DatasetSample
from ris.export.imagefile import ImageNumbers
from ris.export.omissions import Omit
from ris.export.phrases import ExpressionParser, Phrase, read_phrase
from ris.export.text import JsonListWriter, open_json_list, write_json

IMAGE_LISTS = ("image_data_split.json", "image_data_split3000.json")
PHRASE_COUNTS_FILE = "name_att_rel_count.json"
_LOADER_SPLITS = ("train", "val", "test", "miniv")  # RefVGLoader opens all of these by default
_MIN_POLYGON_POINTS = 3
_CACHED_EXPRESSIONS = 10_000
_NO_REFERENT_REASON = "PhraseCut has no place for an expression without a referent"


def write_phrasecut(
    samples: Iterable[DatasetSample], folder: Path, parse: ExpressionParser, omit: Omit
) -> None:
    """Write the three kinds of files. The counts of words are in memory until the end.

    Args:
        samples: the samples to write.
        folder: the folder; created if missing.
        parse: parses the grammar of an expression; called once for expressions that are not far apart.
        omit: is called with each sample without a referent, and the reason.
    """
    counts, numbers, n_tasks = PhraseCounts(), ImageNumbers(), 0
    parse = lru_cache(_CACHED_EXPRESSIONS)(parse)
    with ExitStack() as files:
        lists = [files.enter_context(open_json_list(folder / name)) for name in IMAGE_LISTS]
        tasks = {split: files.enter_context(_open_tasks(folder, split)) for split in _LOADER_SPLITS}
        for sample in samples:
            if sample.mask is None:
                omit(sample.decision, _NO_REFERENT_REASON)
                continue
            image_id, is_new = numbers.assign(sample.file)
            if is_new:
                for images in lists:
                    images.add(_make_image(image_id, sample))
            if sample.split not in tasks:
                tasks[sample.split] = files.enter_context(_open_tasks(folder, sample.split))
            phrase = read_phrase(parse(sample.expression))
            counts.add(phrase)
            n_tasks += 1
            tasks[sample.split].add(_make_task(n_tasks, image_id, sample, phrase))
        write_json(counts.to_json(), folder / PHRASE_COUNTS_FILE)


def _open_tasks(folder: Path, split: str) -> AbstractContextManager[JsonListWriter]:
    return open_json_list(folder / f"refer_{split}.json")


class PhraseCounts:
    """Counts of names, attributes and predicates, in the form that PhraseHandler reads."""

    def __init__(self) -> None:
        self._names: Counter[str] = Counter()
        self._attributes: Counter[str] = Counter()
        self._predicates: Counter[str] = Counter()

    def add(self, phrase: Phrase) -> None:
        """Count a phrase."""
        self._names[phrase.name] += 1
        self._attributes.update(phrase.attributes)
        self._predicates.update(predicate for predicate, _ in phrase.relations)

    def to_json(self) -> dict[str, list[list[Any]]]:
        """Return for "cat", "att" and "rel" pairs [text, count], most frequent first."""
        counted = (("cat", self._names), ("att", self._attributes), ("rel", self._predicates))
        return {
            key: [list(pair) for pair in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
            for key, counts in counted
        }


def _make_image(number: int, sample: DatasetSample) -> dict[str, Any]:
    return {
        "image_id": number,
        "coco_id": None,
        "flickr_id": None,
        "height": sample.size[0],
        "width": sample.size[1],
        "url": sample.image_url,
        "file_name": sample.file_name,
        "split": sample.split,
    }


def _make_task(number: int, image_id: int, sample: DatasetSample, phrase: Phrase) -> dict[str, Any]:
    assert sample.mask is not None
    return {
        "task_id": f"{image_id}__{number}",
        "image_id": image_id,
        "ann_ids": [number],
        "instance_boxes": [rle.compute_xywh_box(sample.mask)],
        "Polygons": [[_to_polygon(outline) for outline in trace_centre_outlines(sample.mask)]],
        "phrase": sample.expression,
        "phrase_structure": {
            "name": phrase.name,
            "attributes": list(phrase.attributes),
            "relation_ids": [],
            "relation_descriptions": [list(relation) for relation in phrase.relations],
            "type": phrase.kind,
        },
    }


def _to_polygon(outline: Outline) -> list[list[int]]:
    """Convert an outline to at least three points; some readers take two points for a box."""
    points: list[list[int]] = outline.tolist()
    return points + [points[-1]] * (_MIN_POLYGON_POINTS - len(points))
