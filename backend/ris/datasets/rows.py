"""One row of a table, or one object of JSON: its image, its words, and what it says of the referent.

The rule. What a row says of its referent is read, or counted; nothing of it is passed over.

* mask: COCO's run lengths or polygons, in JSON or as JSON in a cell; polygons, and run lengths without a
  size, need "height" and "width". No mask is None or an empty text. All else is a defect and keeps the words.
* verdict: one that our own export writes, or nothing. "no referent" and "no such thing", in any writing, mean
  that there is none. A row with another word, or with none and a mask, is left out.
* A row of Label Studio's JSON-MIN or CSV is an answer, whose regions are not read: that is counted.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ris.core.rle import RLE
from ris.core.types import Size, Verdict
from ris.datasets.answers import is_answer
from ris.datasets.delimited import ColumnNames, normalise_heading
from ris.datasets.entry import (
    WITHOUT_MASK,
    Defect,
    Entry,
    parse_json,
    read_record_size,
    to_expression_text,
    to_path,
)
from ris.datasets.objects import is_json
from ris.datasets.segmentation import read_segmentation
from ris.errors import DatasetError

DEFAULT_NAMES = ColumnNames()
_NO_REFERENT_WORDS = (normalise_heading(Verdict.NO_REFERENT), "no_such_thing")
_VERDICT_WORDS = frozenset({normalise_heading(verdict) for verdict in Verdict} - {*_NO_REFERENT_WORDS})


def read_row(
    what: str, row: Mapping[str, Any], names: ColumnNames = DEFAULT_NAMES
) -> Iterator[Entry | Defect]:
    """The entry of a row or of a task of Label Studio's, and what of it cannot be used."""
    task = row if isinstance(row.get("data"), Mapping) else {}
    named = normalise_row(task.get("data") or row)
    split = str(named.get("split") or "train")
    try:
        image, words = read_words(named, names)
        if task:
            yield Entry(words, image, None, None, True, split, task)
            return
        has_referent = _has_referent(named.get("verdict"))
    except DatasetError as error:
        yield Defect(what, str(error))
        return
    mask, size, reason = None, read_record_size(named), ""
    try:
        mask = _read_mask(named.get("mask") if has_referent else named.get("mask") or None, size)
    except DatasetError as error:
        reason = str(error)
    if not has_referent and (reason or (mask and mask.area_px)):
        yield Defect(what, "its verdict says that there is no such thing, and it has a mask")
        return
    if has_referent and mask is None and is_answer(row):
        reason = "its answer is not read from JSON-MIN or CSV: export JSON from Label Studio to keep it"
    if reason:
        yield Defect(what, reason, WITHOUT_MASK)
    mask = mask if has_referent else None
    yield Entry(words, image, mask.size if mask else size, mask, has_referent, split)


def normalise_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row by its plain headings, without those that have no value."""
    return {normalise_heading(key): value for key, value in row.items() if value is not None}


def read_words(row: Mapping[str, Any], names: ColumnNames = DEFAULT_NAMES) -> tuple[str, str]:
    """The image and the words of a row with plain headings.

    Raises:
        DatasetError: it lacks one, or has words under two names of which none is preferred.
    """
    image = to_path(_get_first(row, names.images))
    if doubt := names.find_ambiguity(row):
        raise DatasetError(doubt)
    return image, to_expression_text(_get_first(row, names.words))


def _get_first(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The value under the first of these names that the row has."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise DatasetError(f"it has none of {', '.join(dict.fromkeys(names))}")


def _has_referent(verdict: object) -> bool:
    """Whether a verdict lets there be a referent; none, or an empty one, does."""
    word = normalise_heading("" if verdict is None else verdict)
    if word and word not in (*_NO_REFERENT_WORDS, *_VERDICT_WORDS):
        raise DatasetError(f"its verdict is none of {', '.join(Verdict)}")
    return word not in _NO_REFERENT_WORDS


def _read_mask(given: Any, size: Size | None) -> RLE | None:
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    if not isinstance(given, str):
        return read_segmentation(given, size)
    if is_json(given):
        try:
            return read_segmentation(parse_json(given), size)
        except ValueError as error:
            raise DatasetError("its mask is text that is cut short") from error
    if size is None:
        raise DatasetError('its mask is text: give run lengths as {"size": [height, width], "counts": "..."}')
    try:
        return read_segmentation({"counts": given.strip()}, size)
    except DatasetError as error:
        raise DatasetError("its mask is text, and no run lengths that cover its image") from error
