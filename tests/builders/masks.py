"""Masks, proposals and scenes."""

import numpy as np

from ris.core import rle
from ris.core.boxes import compute_boxes
from ris.core.expression import ParsedExpression, Word
from ris.core.proposals import Proposals
from ris.referring.scene import Scene


def rectangle(size, x1, y1, x2, y2):
    """bool [H, W] with one filled rectangle, exclusive ends."""
    mask = np.zeros(size, np.bool_)
    mask[y1:y2, x1:x2] = True
    return mask


def make_proposals(*masks):
    return Proposals.from_masks(masks, masks[0].shape, np.linspace(1, 0.5, len(masks), dtype=np.float32))


def make_scene(*masks, features=None):
    """A scene of these masks; `features` by method."""
    boxes = tuple(tuple(float(v) for v in box) for box in compute_boxes(np.array(masks, np.bool_)))
    quality = np.ones(len(masks), np.float32)
    codes = tuple(rle.encode_rle(mask) for mask in masks)
    return Scene("ab" * 32, masks[0].shape if masks else (8, 8), codes, boxes, quality, features or {})


def see_all(image, proposals, *methods):
    """The scene of an image with these proposals, prepared by these methods."""
    codes = tuple(rle.encode_rle(mask) for mask in proposals.masks)
    boxes = tuple(tuple(box) for box in proposals.boxes.tolist())
    features = {method.name: method.see(image, proposals) for method in methods}
    return Scene(image.digest, image.size, codes, boxes, proposals.quality, features)


def words(text, subject=None, landmarks=()):
    """A parsed expression; words other than articles and prepositions are nouns."""
    made, start = [], 0
    for word in text.split():
        small = word in ("the", "a", "of", "on", "at", "in", "to", "near", "and", "surrounded", "by")
        made.append(Word(word, "ADP" if small else "NOUN", start))
        start += len(word) + 1
    primary = next((i for i, w in enumerate(made) if w.pos == "NOUN"), None)
    return ParsedExpression(text, subject or text, tuple(landmarks), tuple(made), primary)
