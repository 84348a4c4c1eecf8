"""Hugging Face: Parquet files with images, masks and expressions, for `datasets.load_dataset(folder)`."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image as Pillow

from ris.core import rle
from ris.core.rle import RLE
from ris.errors import BackendError
from ris.export.dataset import DatasetSample
from ris.export.imagefile import ImageFile
from ris.export.omissions import Omit
from ris.export.pictures import make_upright
from ris.export.text import open_replacing

_ROWS_PER_BATCH = 64
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_COLUMNS: Sequence[tuple[str, pa.DataType, dict[str, Any]]] = (
    ("image", IMAGE_TYPE, {"_type": "Image"}),
    ("mask", IMAGE_TYPE, {"_type": "Image"}),
    ("expression", pa.string(), {"dtype": "string", "_type": "Value"}),
    ("has_referent", pa.bool_(), {"dtype": "bool", "_type": "Value"}),
    ("verdict", pa.string(), {"dtype": "string", "_type": "Value"}),
    ("file_name", pa.string(), {"dtype": "string", "_type": "Value"}),
    ("project", pa.string(), {"dtype": "string", "_type": "Value"}),
    ("task_id", pa.int64(), {"dtype": "int64", "_type": "Value"}),
    ("annotation_id", pa.int64(), {"dtype": "int64", "_type": "Value"}),
)
FEATURES = {name: feature for name, _, feature in _COLUMNS}
_PARQUET_SCHEMA = pa.schema(
    [(name, kind) for name, kind, _ in _COLUMNS],
    # `datasets` reads from this which columns are images.
    metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
)


def write_huggingface(
    samples: Iterable[DatasetSample], folder: Path, read: Callable[[ImageFile], bytes], omit: Omit
) -> None:
    """Write `data/<split>-00000-of-00001.parquet` and a dataset card.

    The samples are read once for each split.

    Args:
        samples: the samples to write; they can be iterated over several times.
        folder: the folder; created if missing.
        read: returns the bytes of an image file, or raises an ImageError.
        omit: is called with each sample whose image cannot be read, and the reason.
    """
    counts: dict[str, int] = {}
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for split in sorted({sample.split for sample in samples}):
        path = folder / "data" / f"{split}-00000-of-00001.parquet"
        own = (sample for sample in samples if sample.split == split)
        with open_replacing(path) as file, pq.ParquetWriter(file, _PARQUET_SCHEMA) as writer:
            for rows in _make_rows(own, read, omit):
                writer.write_table(pa.Table.from_pylist(rows, _PARQUET_SCHEMA))
                counts[split] = counts.get(split, 0) + len(rows)
        if split not in counts:
            path.unlink()  # `datasets` cannot read a file without rows
    card = make_dataset_card(counts)
    with open_replacing(folder / "README.md") as file:
        file.write(card.encode())


def _make_rows(
    samples: Iterable[DatasetSample], read: Callable[[ImageFile], bytes], omit: Omit
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a split by batches that are not empty: `datasets` cannot read an empty row group."""
    waiting = iter(samples)
    while batch := list(islice(waiting, _ROWS_PER_BATCH)):
        rows = []
        for sample in batch:
            try:
                rows.append(_make_row(sample, read))
            except BackendError as error:
                omit(sample.decision, str(error))
        if rows:
            yield rows


def _make_row(sample: DatasetSample, read: Callable[[ImageFile], bytes]) -> dict[str, Any]:
    task = sample.decision.correction.annotation.task
    data, extension = make_upright(read(sample.file))
    name = Path(sample.file_name).stem
    return {
        "image": {"bytes": data, "path": f"{name}{extension}"},
        "mask": {"bytes": to_png(sample.mask), "path": f"{name}-mask.png"} if sample.mask else None,
        "expression": sample.expression,
        "has_referent": sample.mask is not None,
        "verdict": sample.decision.correction.verdict.value,
        "file_name": sample.file_name,
        "project": task.project,
        "task_id": task.task_id,
        "annotation_id": sample.decision.correction.annotation.annotation_id,
    }


def to_png(mask: RLE) -> bytes:
    """Encode a mask as a grey PNG: 255 inside, 0 outside."""
    file = io.BytesIO()
    Pillow.fromarray(rle.decode_rle(mask).astype("uint8") * 255).save(file, "PNG")
    return file.getvalue()


def make_dataset_card(counts: dict[str, int]) -> str:
    """Make the dataset card: metadata for `datasets`, and a description.

    Args:
        counts: number of rows by split.
    """
    files = "".join(f"  - split: {s}\n    path: data/{s}-*.parquet\n" for s in sorted(counts))
    rows = "".join(f"| {split} | {count} |\n" for split, count in sorted(counts.items()))
    return f"""---
task_categories:
- image-segmentation
tags:
- referring-expression-segmentation
configs:
- config_name: default
  data_files:
{files}---

# Referring expressions with masks

Each row has an image, a referring expression and the mask of the referent, as decided by annotators in
Label Studio. `mask` is a grey image of the same size, 255 inside and 0 outside. It is null where
`has_referent` is false: the image does not show the referent. `verdict` says how the mask was made:
accepted as suggested, edited, or redrawn.

| split | rows |
|---|---|
{rows}
Each image is in one split only. The licence of the images and the instructions to the annotators are not
known here: add them before you publish.
"""
