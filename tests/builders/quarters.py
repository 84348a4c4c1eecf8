"""A proposer that gives the quarters of a picture, and makes a mask of a box by filling it."""

import numpy as np

from ris.cli.benchmark_vlm import add_drawn_model
from ris.core.proposals import Proposals
from ris.referring.attributes import Attributes
from ris.referring.pipeline import Pipeline
from ris.referring.ranking import RankingSettings
from tests.builders.fakes import WordParser


class QuarterProposer:
    def propose(self, image):
        height, width = image.size
        masks = [np.zeros(image.size, np.bool_) for _ in range(4)]
        for i, mask in enumerate(masks):
            y, x = (i // 2) * height // 2, (i % 2) * width // 2
            mask[y : y + height // 2, x : x + width // 2] = True
        return Proposals.from_masks(masks, image.size, np.ones(4, np.float32))

    def refine(self, scene, prompts):
        """The middle of the box as an ellipse: an object fills most of its box."""
        x1, y1, x2, y2 = prompts.box
        y, x = np.ogrid[: scene.size[0], : scene.size[1]]
        a, b = max((x2 - x1) / 2, 1), max((y2 - y1) / 2, 1)
        mask = ((x + 0.5 - (x1 + x2) / 2) / a) ** 2 + ((y + 0.5 - (y1 + y2) / 2) / b) ** 2 <= 1
        return Proposals.from_masks([mask], scene.size, np.ones(1, np.float32))


def make_quarters_pipeline(model=None):
    """A pipeline of one method without a network, which may ask a model."""
    proposer = QuarterProposer()
    methods, parser = (Attributes(),), WordParser()
    pipeline = Pipeline(proposer, parser, methods, RankingSettings(), "quarters", refiner=proposer)
    return add_drawn_model(pipeline, model) if model else pipeline
