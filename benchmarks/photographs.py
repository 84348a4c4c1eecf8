"""Measure masks on photographs, and words on drawn scenes: `python -m benchmarks.photographs [FOLDER]`.

The objects of `photographs.json` were marked by hand as polygons, in pixels. Its first three pictures are
those of the repository facebookresearch/segment-anything (notebooks/images, Apache-2.0); download them into a
folder and name it. The others come with scikit-image, and are what is measured without a folder.

Clicks are simulated: the first is the pixel of the object that is farthest from its outline, each further one
the pixel farthest from the outline of the largest error. The box is the tight one of the object.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw
from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from ris.assembly import load_pipeline
from ris.config import Settings
from ris.core import rle
from ris.core.boxes import compute_box
from ris.core.masks import compute_iou
from ris.core.proposals import Prompts
from ris.core.types import Image
from ris.evaluation.rankings import FUSION
from ris.evaluation.tinyworld.samples import TEST_SEED, evaluate_world, make_worlds
from ris.labelstudio.images.decoding import decode_image
from ris.planning import make_plan
from ris.referring.pipeline import Pipeline
from ris.referring.scene import Scene

OBJECTS_FILE = Path(__file__).with_suffix(".json")
LIBRARY_FOLDER = Path(skimage.__file__).parent / "data"
COMPARED_PRESETS = ("tiny", "classical")
MASK_ROWS = {
    "best of the proposals": 0.65, "box of the object": 0.75, "one click in the middle": 0.55,
    "two clicks": None, "three clicks": 0.65,
}  # fmt: skip
SCENE_ROWS = {"position": 0.6, "ordinal": 0.5, "attribute": 0.6}
Mask = NDArray[np.bool_]


def read_marked_objects(folder: Path) -> Iterator[tuple[Path, dict[str, Mask]]]:
    """The pictures of the file that are in a folder, with the mask of each object."""
    for name, entry in json.loads(OBJECTS_FILE.read_text()).items():
        if (folder / name).is_file():
            height, width = entry["size"]
            yield (
                folder / name,
                {what: draw_polygon(points, height, width) for what, points in entry["objects"].items()},
            )


def draw_polygon(points: Sequence[Sequence[int]], height: int, width: int) -> Mask:
    picture = Pillow.new("1", (width, height))
    ImageDraw.Draw(picture).polygon([(x, y) for x, y in points], fill=1)
    return np.asarray(picture)


def find_middle(mask: Mask) -> tuple[float, tuple[int, int]]:
    """The largest distance to the outline, and the pixel that has it."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(depth.max()), (int(x), int(y))


def click_on(pipeline: Pipeline, scene: Scene, truth: Mask, times_s: list[float]) -> list[float]:
    """The IoU after one, two and three clicks."""
    points, positive, found = [find_middle(truth)[1]], [True], []
    for _ in range(3):
        prompts = Prompts(scene.size, np.array(points, np.float32) + 0.5, np.array(positive))
        mask = refine(pipeline, scene, prompts, times_s)
        found.append(compute_iou(mask, truth))
        missing, wrong = find_middle(truth & ~mask), find_middle(mask & ~truth)
        points.append(missing[1] if missing[0] >= wrong[0] else wrong[1])
        positive.append(missing[0] >= wrong[0])
    return found


def refine(pipeline: Pipeline, scene: Scene, prompts: Prompts, times_s: list[float]) -> Mask:
    assert pipeline.refiner is not None
    started = time.perf_counter()
    proposals = pipeline.refiner.refine(scene, prompts)
    times_s.append(time.perf_counter() - started)
    return proposals.masks[0] if len(proposals) else np.zeros(scene.size, np.bool_)


def measure_masks(pipeline: Pipeline, folder: Path) -> tuple[dict[str, list[float]], list[float]]:
    """By row, the IoU of each object; and the seconds of each click and box."""
    ious: dict[str, list[float]] = {row: [] for row in MASK_ROWS}
    times_s: list[float] = []
    for path, truths in read_marked_objects(folder):
        image = decode_image(path.read_bytes(), max_pixels=10**8)
        scene = pipeline.see(image)
        proposals = [rle.decode_rle(mask) for mask in scene.masks]
        for truth in truths.values():
            x1, y1, x2, y2 = compute_box(truth)
            nothing = np.zeros((0, 2), np.float32), np.zeros(0, np.bool_)
            box = Prompts(scene.size, *nothing, box=(x1, y1, x2, y2))
            best = max((compute_iou(mask, truth) for mask in proposals), default=0.0)
            boxed = compute_iou(refine(pipeline, scene, box, times_s), truth)
            values = best, boxed, *click_on(pipeline, scene, truth, times_s)
            for row, value in zip(MASK_ROWS, values, strict=True):
                ious[row].append(value)
    return ious, times_s


def measure_scenes(pipeline: Pipeline, n_scenes: int) -> dict[str, list[float]]:
    """By kind of expression, whether the first alternative of the true masks is right."""
    found: dict[str, list[float]] = {row: [] for row in SCENE_ROWS}
    for number, world in enumerate(make_worlds(n_scenes, split="train", seed=TEST_SEED)):
        for outcome in evaluate_world(pipeline, world, number, propose=False)[0]:
            if outcome.kind in found:
                found[outcome.kind].append(float(outcome.places_with_true_masks[FUSION] == 0))
    return found


def measure_time_s(pipeline: Pipeline) -> float:
    """The median time to see a picture of one megapixel, in seconds."""
    pixels = cv2.resize(np.asarray(Pillow.open(LIBRARY_FOLDER / "coffee.png").convert("RGB")), (1224, 816))
    image = Image.from_pixels(np.asarray(pixels, np.uint8))
    return statistics.median(_time_call(lambda: pipeline.see(image)) for _ in range(3))


def _time_call(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=LIBRARY_FOLDER)
    parser.add_argument("--scenes", type=int, default=100, help="drawn scenes")
    args = parser.parse_args()
    print_processor()
    n_objects = sum(len(truths) for _, truths in read_marked_objects(args.folder))
    if not n_objects:
        raise SystemExit(f"{args.folder} has none of the pictures of {OBJECTS_FILE.name}")
    pipelines = {
        name: load_pipeline(make_plan(Settings(_env_file=None, preset=name)))  # type: ignore[call-arg]
        for name in COMPARED_PRESETS
    }
    masks = {name: measure_masks(pipeline, args.folder) for name, pipeline in pipelines.items()}
    scenes = {name: measure_scenes(pipeline, args.scenes) for name, pipeline in pipelines.items()}
    table = Table("", "aim", *COMPARED_PRESETS, title=f"{n_objects} objects, {args.scenes} drawn scenes")
    for row, aim in MASK_ROWS.items():
        means = [f"{statistics.mean(masks[name][0][row]):.2f}" for name in COMPARED_PRESETS]
        table.add_row(f"mean IoU: {row}", f"{aim:.2f}" if aim else "", *means)
    for row, aim in SCENE_ROWS.items():
        count = len(scenes[COMPARED_PRESETS[0]][row])
        means = [f"{statistics.mean(scenes[name][row]):.2f}" for name in COMPARED_PRESETS]
        table.add_row(f"first is right, {row}, true masks ({count})", f"{aim:.2f}", *means)
    table.add_row(
        "a new picture of one megapixel",
        "1 s",
        *(f"{measure_time_s(pipelines[n]):.1f} s" for n in COMPARED_PRESETS),
    )
    clicks = [f"{1e3 * statistics.median(masks[name][1]):.0f} ms" for name in COMPARED_PRESETS]
    table.add_row("a click or a box, median", "300 ms", *clicks)
    Console().print(table)


if __name__ == "__main__":
    main()
