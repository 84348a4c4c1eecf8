"""Fakes for an image of coloured squares and expressions such as "the red one".

`ColourEncoder` is a `referring.protocols.Encoder` whose features are mean colours, so the expected scores can
be computed by hand. It counts its calls.
"""

import re
from collections import Counter

import numpy as np

from ris.core.expression import ParsedExpression
from ris.core.proposals import Proposals
from ris.core.tree import Node, Tree

COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0)}


class SquaresProposer:
    """Proposes every one-coloured area that is not black, largest first."""

    def __init__(self):
        self.calls = 0

    def propose(self, image):
        self.calls += 1
        colours = {tuple(c) for c in image.pixels.reshape(-1, 3).tolist()} - {(0, 0, 0)}
        masks = [np.all(image.pixels == colour, axis=-1) for colour in sorted(colours)]
        masks.sort(key=lambda mask: -mask.sum())
        return Proposals.from_masks(
            masks, image.size, np.ones(len(masks), np.float32), {"pixels": image.pixels}
        )

    def refine(self, scene, prompts):
        """Return all that is not black, with the highest score, and the area under each click."""
        pixels = scene.features["proposer"]["pixels"]
        found = [pixels.any(-1)] if pixels.any() else []
        for (x, y), positive in zip(prompts.points.astype(int), prompts.positive, strict=True):
            if positive and pixels[y, x].any():
                found.append((pixels == pixels[y, x]).all(-1))
        return Proposals.from_masks(found, scene.size, np.linspace(0.9, 0.7, len(found), dtype=np.float32))


class ColourEncoder:
    """Features are [red, green, blue, 1]: a picture's mean, a mask's grid's, a text's words'."""

    input_size, grid_size, n_blocks = 8, 4, 2

    def __init__(self):
        self.calls = Counter()

    def encode_images(self, pictures):
        self.calls["images"] += len(pictures)
        means = pictures.mean((2, 3))
        return np.concatenate([means, np.ones((len(pictures), 1))], 1).astype(np.float32)

    def encode_masked(self, picture, grids, *, first_masked_block):
        self.calls["pictures"] += 1
        patches = picture.reshape(3, 4, 2, 4, 2).mean((2, 4))
        weight = grids / np.maximum(grids.sum((1, 2), keepdims=True), 1e-6)
        means = np.einsum("nij,cij->nc", weight, patches)
        return np.concatenate([means, np.ones((len(grids), 1))], 1).astype(np.float32)

    def encode_texts(self, texts):
        self.calls["texts"] += len(texts)
        rows = [np.sum([COLOURS.get(w, (0, 0, 0)) for w in t.split()] or [(0, 0, 0)], 0) for t in texts]
        return np.array([[*row, 0.1] for row in rows], np.float32).reshape(-1, 4)


class WordParser:
    """The last word is the subject; all words hang on the first, and none is a noun phrase."""

    def parse(self, expression):
        text = " ".join(expression.lower().split())
        return ParsedExpression(text, text.split()[-1] if text else "", ())

    def parse_tree(self, text):
        starts = [match.start() for match in re.finditer(r"\S+", text)]
        return Tree(text, tuple(Node(text[s:].split()[0], "NOUN", s, 0) for s in starts))


def squares(size=32):
    """uint8 [size, size, 3]: red, green in the upper row, blue, yellow in the lower, on black."""
    pixels = np.zeros((size, size, 3), np.uint8)
    q, m = size // 4, size // 16
    for i, colour in enumerate(COLOURS.values()):
        y, x = (i // 2) * 2 * q + m, (i % 2) * 2 * q + m
        pixels[y : y + q, x : x + q] = np.array(colour) * 255
    return pixels
