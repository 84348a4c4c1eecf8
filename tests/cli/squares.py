"""`ris` with a pipeline that knows colours alone: run as a program, it can be killed.

`SEEN` names a file that gets a line an image; at the image of number `BLOCK_AT`, from 1, it waits for ever.
"""

import os
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from ris import assembly, planning
from ris.evaluation.refcoco import results as pieces
from ris.referring.global_local import GLOBAL_LOCAL_PAPER, GlobalLocal
from ris.referring.pipeline import Pipeline
from ris.referring.ranking import RankingSettings
from tests.builders.fakes import ColourEncoder, SquaresProposer, WordParser


class Watched(SquaresProposer):
    """Says what it sees."""

    def propose(self, image):
        if "SEEN" in os.environ:
            with Path(os.environ["SEEN"]).open("a") as file:
                file.write(f"{image.digest}\n")
        found = super().propose(image)
        while str(self.calls) == os.environ.get("BLOCK_AT"):
            time.sleep(0.01)
        return found


def squares_pipeline(plan):
    framing = replace(
        GLOBAL_LOCAL_PAPER.framing, mean=(0, 0, 0), std=(1, 1, 1), working_side=None, background=(0, 0, 0),
        box_rule="tight", antialias=True, grid_antialias=True,
    )  # fmt: skip
    method = GlobalLocal(ColourEncoder(), replace(GLOBAL_LOCAL_PAPER, framing=framing, first_masked_block=1))
    return Pipeline(Watched(), WordParser(), (method,), RankingSettings(), plan.version)


def squares_plan(settings):
    return SimpleNamespace(version=os.environ.get("VERSION", "fake-1"))


if __name__ == "__main__":
    planning.make_plan, assembly.load_pipeline = squares_plan, squares_pipeline
    pieces.IMAGES_PER_PIECE = 2
    from ris.__main__ import main

    main()
