"""Measure a click on an image that was seen before: `python -m benchmarks.clicks [--size tiny|full]`.

Full size is SAM ViT-B with random weights, whose cost is that of published weights. The time is that of
`Refiner.refine` and, for tiny, of a whole interactive /predict, from the JSON of the request to that of the
region.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from segment_anything import sam_model_registry

from benchmarks.processor import print_processor
from ris.assembly import load_pipeline
from ris.config import Settings
from ris.core.proposals import Prompts
from ris.core.types import Image
from ris.label_config import read
from ris.labelstudio.images.decoding import decode_image
from ris.planning import make_plan
from ris.pretrained.catalog.presets import TINY, TINY_FOLDER
from ris.pretrained.masks.sam import SamProposer, load_sam
from ris.referring.scene import PROPOSER_KEY, Scene
from ris.service import RecordingService, RefinementService, SceneCache, SuggestionService, Worker
from ris.store.session import Database, upgrade_database
from ris.tinyworld.samples import make_samples
from ris.web.handlers import Services, predict


def measure_ms(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Measure the median and the 95th percentile in ms, after one call that is not counted."""
    call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times), float(np.percentile(times, 95))


def measure_refine_ms(proposer: SamProposer, image: Image, repeats: int) -> tuple[float, float]:
    """Measure `Refiner.refine` with a click at a random place."""
    proposals = proposer.propose(image)
    scene = Scene(
        image.digest, image.size, (), (), np.zeros(0, np.float32), {PROPOSER_KEY: proposals.features}
    )
    rng = np.random.default_rng(0)

    def click() -> None:
        point = rng.random((1, 2)).astype(np.float32) * np.array(image.size[::-1], np.float32)
        proposer.refine(scene, Prompts(image.size, point, np.array([True])))

    return measure_ms(click, repeats)


def measure_predict_ms(folder: Path, repeats: int) -> tuple[float, float]:
    """Measure an interactive /predict on an image that was seen before."""
    sample = make_samples(1)[0]
    image = decode_image(sample.png, max_pixels=10**8)
    url = f"sqlite:///{folder / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    plan = make_plan(Settings(database_url=url))
    worker = Worker(lambda: load_pipeline(plan), SceneCache(2**29))
    worker.start()
    clock = lambda: datetime.now(UTC)  # noqa: E731
    suggesting = SuggestionService(database, worker, lambda task: image, version=plan.version, now=clock)
    recording = RecordingService(database, now=clock)
    recording.start()
    backend = Services(
        suggesting, recording, RefinementService(worker, suggesting, lambda task: image), 300.0, lambda: False
    )
    task = {"id": 1, "data": {"image": "x", "expression": sample.expression}}
    body = {"tasks": [task], "project": "1.1", "label_config": read("pick_brush_smart.xml")}
    predict(backend, body)
    rng = np.random.default_rng(0)

    def click() -> None:
        x, y = (100 * rng.random(2)).tolist()
        region = {
            "type": "keypointlabels", "from_name": "click", "to_name": "image", "is_positive": True,
            "original_width": image.size[1], "original_height": image.size[0],
            "value": {"x": x, "y": y, "keypointlabels": ["drawn by me"]},
        }  # fmt: skip
        predict(backend, body | {"params": {"context": {"result": [region]}}})

    try:
        return measure_ms(click, repeats)
    finally:
        suggesting.close()
        worker.close()
        recording.close()
        database.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("tiny", "full"), default="tiny")
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    print_processor()
    torch.set_num_threads(args.threads)
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    settings = replace(TINY.proposals, points_per_side=2)
    table = Table("click on a seen image", "median", "95th percentile", title=f"{args.size}, 640 x 480")
    if args.size == "full":
        model = sam_model_registry["vit_b"]().eval()
        figures = {
            "SAM ViT-B, random weights": measure_refine_ms(
                SamProposer(model, settings), Image.from_pixels(pixels), args.repeats
            )
        }
    else:
        model = load_sam(TINY_FOLDER / "sam")
        figures = {
            "SAM alone": measure_refine_ms(
                SamProposer(model, settings), Image.from_pixels(pixels), args.repeats
            )
        }
        with tempfile.TemporaryDirectory() as folder:
            figures["the whole /predict"] = measure_predict_ms(Path(folder), args.repeats)
    for what, (median, high) in figures.items():
        table.add_row(what, f"{median:.0f} ms", f"{high:.0f} ms")
    Console().print(table)


if __name__ == "__main__":
    main()
