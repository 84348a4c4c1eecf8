"""Measure the fusion with the method `grounder`: `python -m benchmarks.grounder [--preset P] [--scenes N]`.

A server answers about drawn scenes, rightly in a set share of the questions and with the box of a wrong place
in the others. The weights are those before `ris learn`.
"""

import argparse
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from ris.assembly import load_pipeline
from ris.config import Settings
from ris.core import rle
from ris.core.boxes import compute_box
from ris.core.types import Image
from ris.planning import make_plan
from ris.pretrained.endpoint.client import ChatClient
from ris.pretrained.endpoint.picture import encode_jpeg
from ris.referring.grounder import GROUNDER_TEMPERATURE, Grounder
from ris.referring.grounding.dialects import DIALECTS
from ris.referring.pipeline import Pipeline
from ris.referring.ranking import rank_proposals
from ris.tinyworld.samples import make_samples
from tests.builders.vlm_server import Errors, VlmServer

RIGHT_RATES = (0.0, 0.3, 0.6, 0.9, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--scenes", type=int, default=100)
    options = parser.parse_args()
    print_processor()
    pipeline = load_pipeline(make_plan(Settings(_env_file=None, preset=options.preset)))  # type: ignore[call-arg]
    rows = measure_rates(pipeline, options.scenes)
    table = Table("right boxes", "top-1", "top-3", title=f"{options.preset}, {options.scenes} drawn scenes")
    for name, hits in rows.items():
        top_1, top_3 = np.mean(hits, 0)
        table.add_row(name, f"{top_1:.3f}", f"{top_3:.3f}")
    Console().print(table)


def measure_rates(pipeline: Pipeline, n_scenes: int) -> dict[str, list[tuple[bool, bool]]]:
    """Judge the first and the first three masks of each scene, by the rate of right boxes."""
    temperatures = {**pipeline.ranking.temperatures, "grounder": GROUNDER_TEMPERATURE}
    settings = replace(pipeline.ranking, temperatures=temperatures)
    rows: dict[str, list[tuple[bool, bool]]] = {"no grounder": []}
    with VlmServer() as server:
        grounder = Grounder(ChatClient(server.url, model="drawn"), DIALECTS["qwen3-vl"], encode_jpeg)
        seeing = replace(pipeline, methods=(*pipeline.methods, grounder))
        for sample in make_samples(n_scenes):
            server.tell(sample.pixels, {sample.expression: [compute_box(sample.truth)]})
            server.scenes = server.scenes[-1:]
            server.errors = Errors(prose=1)
            scene = seeing.see(Image.from_pixels(sample.pixels))
            (result,) = seeing.refer_all(scene, [sample.expression])
            rows["no grounder"].append(judge_first([s.mask for s in result.suggestions], sample.truth))
            expression = pipeline.parser.parse(sample.expression)
            for rate in RIGHT_RATES:
                server.errors = Errors(shifted=1 - rate)
                scores = [*result.scores[:-1], *grounder.score(scene, [expression])]
                found = rank_proposals(scene, scores, settings, count=expression.count, version="")
                hits = judge_first([s.mask for s in found], sample.truth)
                rows.setdefault(f"{rate:.1f}", []).append(hits)
    return rows


def judge_first(masks: list[rle.RLE], truth: np.ndarray) -> tuple[bool, bool]:
    """Tell whether the first mask, and whether one of the first three, has an IoU over 0.5 with the truth."""
    right = [
        np.count_nonzero(mask & truth) > 0.5 * np.count_nonzero(mask | truth)
        for mask in map(rle.decode_rle, masks[:3])
    ]
    return bool(right and right[0]), any(right)


if __name__ == "__main__":
    main()
