"""Read a row of a table, or an object of JSON: its image, its expression and its referent.

Rules:

* mask: COCO's run lengths or polygons, in JSON or as JSON in a cell. Polygons, and run lengths without a
  size, need "height" and "width". None or an empty text means no mask. Everything else is a defect, and the
  expression is kept without its mask.
* verdict: a verdict of our own export, or nothing. "no referent" and "no such thing", in any case, mean that
  there is no referent. A row with another verdict, or with "no referent" and a mask, is left out.
* A row of Label Studio's JSON-MIN or CSV is an answer. Its regions are not read; this is reported as a
  defect.
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
    """Yield the entry of a row or of a task of Label Studio, and its defects.

    Args:
        what: position of the row, for defects.
        row: the row; a task of Label Studio has its fields in `data`.
        names: accepted names of the columns.
    """
    task = row if isinstance(row.get("data"), Mapping) else {}
    fields = normalise_row(task.get("data") or row)
    split = str(fields.get("split") or "train")
    try:
        image, expression = read_image_and_expression(fields, names)
        if task:
            yield Entry(expression, image, None, None, True, split, task)
            return
        has_referent = _has_referent(fields.get("verdict"))
    except DatasetError as error:
        yield Defect(what, str(error))
        return
    mask, size, reason = None, read_record_size(fields), ""
    try:
        mask = _read_mask(fields.get("mask") if has_referent else fields.get("mask") or None, size)
    except DatasetError as error:
        reason = str(error)
    if not has_referent and (reason or (mask and mask.area_px)):
        yield Defect(what, "its verdict says that there is no referent, but it has a mask")
        return
    if has_referent and mask is None and is_answer(row):
        reason = "its answer is not read from JSON-MIN or CSV: export JSON from Label Studio to keep it"
    if reason:
        yield Defect(what, reason, WITHOUT_MASK)
    mask = mask if has_referent else None
    yield Entry(expression, image, mask.size if mask else size, mask, has_referent, split)


def normalise_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Normalise the headings of a row and drop cells without a value."""
    return {normalise_heading(key): value for key, value in row.items() if value is not None}


def read_image_and_expression(row: Mapping[str, Any], names: ColumnNames = DEFAULT_NAMES) -> tuple[str, str]:
    """Return the image and the expression of a normalised row.

    Raises:
        DatasetError: one is missing, or the expression column is ambiguous.
    """
    image = to_path(_get_first(row, names.images))
    if ambiguity := names.find_ambiguity(row):
        raise DatasetError(ambiguity)
    return image, to_expression_text(_get_first(row, names.expressions))


def _get_first(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the value under the first of these names that the row has."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise DatasetError(f"it has none of {', '.join(dict.fromkeys(names))}")


def _has_referent(verdict: object) -> bool:
    """Return whether a verdict allows a referent; no verdict does."""
    word = normalise_heading("" if verdict is None else verdict)
    if word and word not in (*_NO_REFERENT_WORDS, *_VERDICT_WORDS):
        raise DatasetError(f"its verdict is not one of {', '.join(Verdict)}")
    return word not in _NO_REFERENT_WORDS


def _read_mask(cell: Any, size: Size | None) -> RLE | None:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if not isinstance(cell, str):
        return read_segmentation(cell, size)
    if is_json(cell):
        try:
            return read_segmentation(parse_json(cell), size)
        except ValueError as error:
            raise DatasetError("its mask is not valid JSON") from error
    if size is None:
        raise DatasetError('its mask is text: give run lengths as {"size": [height, width], "counts": "..."}')
    try:
        return read_segmentation({"counts": cell.strip()}, size)
    except DatasetError as error:
        raise DatasetError("its mask is text, but not run lengths that cover its image") from error
