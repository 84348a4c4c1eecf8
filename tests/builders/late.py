"""A vision-language model that says a fixed text, and a proposer that misses things."""

import numpy as np

from ris.core.proposals import Proposals
from ris.pretrained.endpoint.picture import encode_jpeg
from ris.referring.grounder import Grounder
from ris.referring.grounding.dialects import DIALECTS
from ris.referring.grounding.question import Reply
from ris.referring.pipeline import Pipeline
from ris.referring.ranking import RankingSettings
from tests.builders.fakes import COLOURS, SquaresProposer, WordParser


class Says:
    """A model that always answers the same, or fails."""

    model = "m"

    def __init__(self, text):
        self.text, self.asked = text, []

    def ask(self, question):
        self.asked.append(question)
        text = self.text(question) if callable(self.text) else self.text
        if isinstance(text, Exception):
            raise text
        return Reply(text)


class ShortSightedProposer(SquaresProposer):
    """Misses the squares of some colours, and makes a mask of all that is not black in a box."""

    def __init__(self, *missed):
        super().__init__()
        self.missed = {tuple(255 * value for value in COLOURS[name]) for name in missed}
        self.boxes = []

    def propose(self, image):
        seen = super().propose(image)
        kept = [
            i for i, mask in enumerate(seen.masks) if tuple(image.pixels[mask][0].tolist()) not in self.missed
        ]
        return Proposals.from_masks(
            [seen.masks[i] for i in kept], image.size, seen.quality[kept], {"pixels": image.pixels}
        )

    def refine(self, scene, prompts):
        self.boxes.append(prompts.box)
        x1, y1, x2, y2 = (round(side) for side in prompts.box)
        pixels = scene.features["proposer"]["pixels"]
        mask = np.zeros(pixels.shape[:2], np.bool_)
        mask[y1:y2, x1:x2] = pixels[y1:y2, x1:x2].any(-1)
        return Proposals.from_masks(
            [mask] if mask.any() else [], scene.size, np.ones(int(mask.any()), np.float32)
        )


def make_locating_pipeline(vlm, proposer, *others, **settings):
    """A pipeline whose grounder asks `vlm`, with other methods after it."""
    grounder = Grounder(vlm, DIALECTS["qwen3-vl"], encode_jpeg)
    ranking = RankingSettings(**{"temperatures": {"grounder": 0.1}, **settings})
    return Pipeline(proposer, WordParser(), (grounder, *others), ranking, "v", refiner=proposer)


def say_boxes(*boxes, side):
    """The answer of Qwen3-VL for boxes in pixels of a square image of a side."""
    shares = ([round(1000 * value / side) for value in box] for box in boxes)
    return str([{"bbox_2d": box} for box in shares]).replace("'", '"')
