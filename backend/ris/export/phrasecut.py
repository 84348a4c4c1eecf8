"""PhraseCut: `refer_<split>.json` with polygons, the list of images, and `name_att_rel_count.json`.

The polygons run through the centres of the outermost pixels, and masks with holes are cut into parts without
holes, so that the loader's drawing reproduces every pixel. PhraseCut cannot represent an expression without
a referent. The list of images is written twice: RefVGLoader opens `image_data_split.json`, and the README of
the dataset names `image_data_split3000.json`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ris.core import rle
from ris.core.outline import Outline, trace_centre_outlines
from ris.export.dataset import DatasetSample, Omission, number_images
from ris.export.phrases import ExpressionParser, Phrase, read_phrase
from ris.export.text import write_json

IMAGE_LISTS = ("image_data_split.json", "image_data_split3000.json")
PHRASE_COUNTS_FILE = "name_att_rel_count.json"
_LOADER_SPLITS = ("train", "val", "test", "miniv")  # RefVGLoader opens all of these by default
_MIN_POLYGON_POINTS = 3
_NO_REFERENT_REASON = "PhraseCut has no place for an expression without a referent"


def write_phrasecut(
    samples: Sequence[DatasetSample], folder: Path, parse: ExpressionParser
) -> list[Omission]:
    """Write the three kinds of files.

    Args:
        samples: the samples to write.
        folder: the folder; created if missing.
        parse: parses the grammar of an expression; called once for each distinct expression.

    Returns:
        The samples without a referent, with reasons.
    """
    with_mask = [sample for sample in samples if sample.mask is not None]
    ids = number_images(with_mask)
    expressions = dict.fromkeys(s.expression for s in with_mask)
    phrases = {expression: read_phrase(parse(expression)) for expression in expressions}
    tasks: dict[str, list[dict[str, Any]]] = {split: [] for split in _LOADER_SPLITS}
    for number, sample in enumerate(with_mask, 1):
        task = _make_task(number, ids[sample.image_key], sample, phrases[sample.expression])
        tasks.setdefault(sample.split, []).append(task)
    for split, listed in tasks.items():
        write_json(listed, folder / f"refer_{split}.json")
    for name in IMAGE_LISTS:
        write_json(_list_images(with_mask, ids), folder / name)
    write_json(count_phrases(phrases[s.expression] for s in with_mask), folder / PHRASE_COUNTS_FILE)
    return [Omission(sample.decision, _NO_REFERENT_REASON) for sample in samples if sample.mask is None]


def count_phrases(phrases: Iterable[Phrase]) -> dict[str, list[list[Any]]]:
    """Count names, attributes and predicates in the form that PhraseHandler reads.

    Returns:
        For "cat", "att" and "rel": pairs [text, count], most frequent first.
    """
    names: Counter[str] = Counter()
    attributes: Counter[str] = Counter()
    predicates: Counter[str] = Counter()
    for phrase in phrases:
        names[phrase.name] += 1
        attributes.update(phrase.attributes)
        predicates.update(predicate for predicate, _ in phrase.relations)
    return {
        key: [list(pair) for pair in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))]
        for key, counted in (("cat", names), ("att", attributes), ("rel", predicates))
    }


def _list_images(samples: Sequence[DatasetSample], ids: Mapping[str, int]) -> list[dict[str, Any]]:
    images = {ids[sample.image_key]: sample for sample in reversed(samples)}
    return [
        {
            "image_id": number,
            "coco_id": None,
            "flickr_id": None,
            "height": sample.size[0],
            "width": sample.size[1],
            "url": sample.image_url,
            "file_name": sample.file_name,
            "split": sample.split,
        }
        for number, sample in sorted(images.items())
    ]


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
