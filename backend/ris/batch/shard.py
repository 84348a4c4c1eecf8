"""Shards: the results of one block of images, in one Parquet file.

A row is a group: the image, its proposals, and for each task the suggestions, or the reason why there are
none. Masks are COCO's compressed strings. A shard gets its name when it is complete, so a shard that is there
is whole; its name is the block's, so a block that is processed twice has one shard.
"""

import os
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ris.batch.work import GroupResult
from ris.core import rle
from ris.core.types import MethodScores, Suggestion
from ris.errors import SettingsError
from ris.referring.pipeline import ReferResult

_METHOD = pa.struct([("method", pa.string()), ("score", pa.float64()), ("rank", pa.int32())])
_SUGGESTION = pa.struct(
    [
        ("rank", pa.int32()),
        ("score", pa.float64()),
        ("counts", pa.string()),
        ("box", pa.list_(pa.float64())),
        ("methods", pa.list_(_METHOD)),
        ("late_method", pa.string()),
        ("absence", pa.struct([("chance", pa.float64()), ("is_prechosen", pa.bool_())])),
    ]
)
_SCORES = pa.struct(
    [
        ("method", pa.string()),
        ("skipped_reason", pa.string()),
        ("scores", pa.list_(pa.float32())),
        ("evidence", pa.list_(pa.struct([("kind", pa.string()), ("text", pa.string())]))),
        ("heat", pa.binary()),
        ("heat_side", pa.int32()),
        ("absence", pa.float64()),
    ]
)
_TASK = pa.struct(
    [
        ("task", pa.int64()),
        ("project", pa.string()),
        ("expression", pa.string()),
        ("failure", pa.string()),
        ("suggestions", pa.list_(_SUGGESTION)),
        ("scores", pa.list_(_SCORES)),
        ("late", pa.list_(pa.struct([("method", pa.string()), ("counts", pa.string())]))),
    ]
)
SHARD_SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("digest", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("masks", pa.list_(pa.string())),
        ("tasks", pa.list_(_TASK)),
    ]
)
_ENDING, _UNFINISHED = ".parquet", ".part"
_VERSION_KEY = b"ris.version"


def write_shard(folder: Path, name: str, version: str, results: Sequence[GroupResult]) -> Path:
    """Write a shard under a passing name, then under its own; an equal one is replaced.

    Args:
        folder: where all shards of a run are; it exists.
        name: of the block.
        version: of the suggestions.
        results: of all groups of the block.

    Returns:
        The path of the shard.

    Raises:
        SettingsError: the folder is not there or cannot be written.
    """
    path, unfinished = folder / f"{name}{_ENDING}", folder / f"{name}.{uuid.uuid4().hex[:8]}{_UNFINISHED}"
    schema = SHARD_SCHEMA.with_metadata({_VERSION_KEY: version.encode()})
    table = pa.Table.from_pylist([_to_row(result) for result in results], schema)
    try:
        with unfinished.open("wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())  # before its name: the name must never lead to half of it
        unfinished.replace(path)
    except OSError as error:
        raise SettingsError(
            f"the shard {path} cannot be written: {error.strerror or error}; every worker needs the folder "
            "of --work"
        ) from error
    return path


def find_shards(folder: Path) -> list[Path]:
    """Return the complete shards of a folder, sorted by name."""
    return sorted(folder.glob(f"*{_ENDING}"))


def remove_unfinished_shards(folder: Path) -> None:
    """Remove what killed writers left; nobody may be writing."""
    for path in folder.glob(f"*{_UNFINISHED}"):
        path.unlink(missing_ok=True)


def read_shard_rows(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """Read a shard.

    Returns:
        The version of its suggestions, and its rows as `SHARD_SCHEMA` names them.

    Raises:
        SettingsError: it is not there, or is not a shard.
    """
    try:
        table = pq.read_table(path, partitioning=None)
        version = (table.schema.metadata or {})[_VERSION_KEY].decode()
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise SettingsError(
            f"{path} is not a shard that can be read: {error}; every node needs the same folder of --work"
        ) from error
    return version, table.to_pylist()


def _to_row(result: GroupResult) -> dict[str, Any]:
    references = result.references or (None,) * len(result.group.tasks)
    return {
        "image": result.group.image_url,
        "digest": result.digest,
        "height": result.size[0],
        "width": result.size[1],
        "masks": [rle.to_string(mask) for mask in result.masks],
        "tasks": [
            {
                "task": task.task_id,
                "project": task.project,
                "expression": task.expression,
                "failure": failure,
                **_reference_to_columns(reference),
            }
            for task, reference, failure in zip(result.group.tasks, references, result.failures, strict=True)
        ],
    }


def _reference_to_columns(reference: ReferResult | None) -> dict[str, Any]:
    if reference is None:
        return {"suggestions": [], "scores": [], "late": []}
    return {
        "suggestions": list(map(_suggestion_to_columns, reference.suggestions)),
        "scores": list(map(_scores_to_columns, reference.scores)),
        "late": [{"method": one.method, "counts": rle.to_string(one.mask)} for one in reference.late],
    }


def _suggestion_to_columns(one: Suggestion) -> dict[str, Any]:
    return {
        "rank": one.rank,
        "score": one.score,
        "counts": rle.to_string(one.mask),
        "box": list(one.box),
        "methods": [{"method": k, "score": m.score, "rank": m.rank} for k, m in one.methods.items()],
        "late_method": one.late_method,
        "absence": None if one.absence is None else asdict(one.absence),
    }


def _scores_to_columns(one: MethodScores) -> dict[str, Any]:
    return {
        "method": one.method,
        "skipped_reason": one.skipped_reason,
        "scores": one.scores,
        "evidence": [{"kind": kind, "text": text} for kind, text in one.evidence.items()],
        "heat": None if one.heat is None else one.heat.tobytes(),
        "heat_side": None if one.heat is None else one.heat.shape[0],
        "absence": one.absence,
    }
