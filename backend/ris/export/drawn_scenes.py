"""Write drawn scenes as a dataset in the layout of RefCOCO, with images that may be redistributed."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core.decision import Decision
from ris.core.rle import RLE
from ris.core.types import Annotation, Correction, Task, Verdict
from ris.errors import DatasetError
from ris.export.dataset import DatasetSample
from ris.export.imagefile import ImageFile, make_image_file_name
from ris.export.refcoco import write_refcoco

SPLIT = "val"
MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)  # fixed, so that the same scenes give the same files


@dataclass(frozen=True, slots=True, eq=False)
class DrawnScene:
    """A drawn scene.

    Attributes:
        pixels: uint8 [H, W, 3], RGB.
        referents: pairs of an expression and the mask of its referent.
    """

    pixels: NDArray[np.uint8]
    referents: Sequence[tuple[str, RLE]]


def write_drawn_scenes(scenes: Iterable[DrawnScene], folder: Path) -> int:
    """Write `refs(ris).p`, `refs(ris).json`, `instances.json` and `images/`.

    Returns:
        The number of expressions.

    Raises:
        DatasetError: the folder is not empty or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatasetError(f"{folder} is not empty; give a folder that does not exist yet")
    samples: list[DatasetSample] = []
    try:
        (folder / "images").mkdir(parents=True)
        for number, scene in enumerate(scenes):
            own = _make_samples(scene, number, first=len(samples))
            if own:
                Pillow.fromarray(scene.pixels).save(folder / "images" / own[0].file_name)
            samples += own
        write_refcoco(samples, folder, lambda sample, reason: None)
    except OSError as error:
        raise DatasetError(f"{folder} cannot be written: {error.strerror or error}") from error
    return len(samples)


def _make_samples(scene: DrawnScene, number: int, *, first: int) -> list[DatasetSample]:
    digest = hashlib.sha256(scene.pixels.tobytes()).hexdigest()
    size = scene.pixels.shape[0], scene.pixels.shape[1]
    name = f"scene-{number:05d}.png"
    file = ImageFile(number, digest, make_image_file_name(name, digest), name, size)
    return [
        DatasetSample(mask, size, SPLIT, _make_decision(i, name, expression, mask, digest), file)
        for i, (expression, mask) in enumerate(scene.referents, first)
    ]


def _make_decision(number: int, image: str, expression: str, mask: RLE, digest: str) -> Decision:
    """Make the decision of an annotator who drew exactly this mask."""
    task = Task(number, "tinyworld", image, expression)
    annotation = Annotation(number, task, MADE_AT, mask)
    return Decision(Correction(annotation, Verdict.REDRAWN), (), digest, mask.size, None)
