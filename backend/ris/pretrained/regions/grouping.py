"""Grouping: trees that join segments step by step. Every node of a tree is a candidate for an object.

Two kinds of trees, because objects differ from what is beside them in different ways:

* By outline: the two neighbours with the weakest outline between them are joined first. The weight is the
  mean gradient on the outline plus a share of the colours' difference, smaller for small regions, and
  smaller where the outline is a large share of the smaller region's own (scikit-image).
* By colour: Ward's method on colour features, neighbours only (scikit-learn).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from skimage import graph
from sklearn.cluster import ward_tree

from ris.pretrained.regions.segments import Segments


@dataclass(frozen=True, slots=True)
class OutlineWeights:
    """Weights of a tree by outline.

    Attributes:
        colour: of the colours' difference, in gradient per unit of Lab.
        size: exponent of the smaller region's share of the image.
        shared: exponent of the outline's share of the smaller region's outline.
    """

    colour: float
    size: float
    shared: float


# Measured on photographs with `python -m benchmarks.photographs`: each tree holds objects that others cut.
_OUTLINE_TREES = (
    OutlineWeights(colour=0.5, size=0.3, shared=0.5),
    OutlineWeights(colour=0.0, size=0.3, shared=0.0),
    OutlineWeights(colour=50.0, size=0.5, shared=0.5),
)


def group_segments(segments: Segments) -> NDArray[np.bool_]:
    """Find the regions of all trees, each once: bool [K, n], the segments of each region.

    The segments themselves are regions too, and so is the whole image.
    """
    n = len(segments)
    if n == 1:
        return np.ones((1, 1), np.bool_)
    # Ward's method: the first has hue and saturation, the second weighs places, so that regions stay compact.
    place = np.hstack([segments.colours * [0.83, 1, 1], 0.5 * segments.spreads, 120 * segments.centres])
    trees = [join_by_outline(segments, weights) for weights in _OUTLINE_TREES]
    trees += [join_by_colour(segments, features) for features in (60 * segments.hues, place)]
    members = np.concatenate([find_members(tree, n) for tree in trees])
    _, first = np.unique(np.packbits(members, 1).view(f"V{(n + 7) // 8}").ravel(), return_index=True)
    return np.asarray(members[np.sort(first)])


def join_by_colour(segments: Segments, features: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Join neighbours by Ward's method on features float64 [n, F]: the two nodes of each step."""
    tree = ward_tree(features, connectivity=sparse.csr_matrix(segments.shared))
    return [(int(a), int(b)) for a, b in tree[0]]


def join_by_outline(segments: Segments, weights: OutlineWeights) -> list[tuple[int, int]]:
    """Join neighbours by the weakness of the outline between them: the two nodes of each step.

    Nodes below n are segments; step k makes node n + k.
    """
    n, total = len(segments), float(segments.areas.sum())
    outlines = segments.shared.sum(1)
    regions = graph.RAG()
    for i in range(n):
        regions.add_node(
            i, labels=[i], area=segments.areas[i], colour=segments.colours[i], outline=outlines[i]
        )

    def weigh(a: int, b: int, length: float, contrast: float) -> dict[str, float]:
        one, two = regions.nodes[a], regions.nodes[b]
        difference = one["colour"] - two["colour"]
        weight = contrast / length + weights.colour * float(np.sqrt(difference @ difference))
        weight *= (min(one["area"], two["area"]) / total) ** weights.size
        weight /= (length / min(one["outline"], two["outline"])) ** weights.shared
        return {"weight": weight, "length": length, "contrast": contrast}

    for a, b in np.argwhere(np.triu(segments.shared)).tolist():
        regions.add_edge(a, b, **weigh(a, b, float(segments.shared[a, b]), float(segments.contrast[a, b])))
    nodes, steps = list(range(n)), []

    def join(_: Any, source: int, target: int) -> None:
        one, two = regions.nodes[source], regions.nodes[target]
        steps.append((nodes[source], nodes[target]))
        nodes[target] = n + len(steps) - 1
        area = one["area"] + two["area"]
        two["colour"] = (one["colour"] * one["area"] + two["colour"] * two["area"]) / area
        two["outline"] += one["outline"] - 2 * regions.edges[source, target]["length"]
        two["area"] = area

    def weigh_again(_: Any, source: int, target: int, neighbour: int) -> dict[str, float]:
        edges = [regions.adj[node].get(neighbour, {}) for node in (source, target)]
        length, contrast = (sum(edge.get(name, 0.0) for edge in edges) for name in ("length", "contrast"))
        return weigh(target, neighbour, length, contrast)

    graph.merge_hierarchical(
        segments.labels, regions, thresh=np.inf, rag_copy=False, in_place_merge=True,
        merge_func=join, weight_func=weigh_again,
    )  # fmt: skip
    return steps


def find_members(steps: Sequence[tuple[int, int]], n: int) -> NDArray[np.bool_]:
    """Find the segments of every node of a tree: bool [n + steps, n]."""
    members = np.zeros((n + len(steps), n), np.bool_)
    members[:n] = np.eye(n, dtype=np.bool_)
    for k, (a, b) in enumerate(steps):
        members[n + k] = members[a] | members[b]
    return members
