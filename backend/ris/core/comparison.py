"""The comparison of an answer with the alternatives that were shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pycocotools import mask as coco

from ris.core.rle import RLE
from ris.core.types import Alternative


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the figures need of an answer and its alternatives. It is stored, because neither changes.

    Attributes:
        n_shown: number of alternatives.
        overlaps: (intersection, union) in pixels of the final mask with each alternative, in the order of
            their ranks; empty without a final mask. Without alternatives: one entry, (0, area of the mask).
        score: of the first alternative, in [0, 1]; None without alternatives.
        places: the position of each alternative on the screen, in the order of their ranks; empty when they
            were shown in that order.
        favourites: for each method, the position in `overlaps` of the alternative that it ranked best.
    """

    n_shown: int
    overlaps: tuple[tuple[int, int], ...]
    score: float | None
    places: tuple[int, ...]
    favourites: Mapping[str, int]

    @property
    def ious(self) -> tuple[float, ...]:
        """IoU of the final mask with each alternative, in [0, 1]; empty without alternatives or mask."""
        if not self.n_shown:
            return ()
        return tuple(inside / union if union else 0.0 for inside, union in self.overlaps)


def compare_answer(mask: RLE | None, alternatives: Sequence[Alternative]) -> Comparison:
    """Compare a final mask with the alternatives.

    Args:
        mask: of the answer; None without a final mask.
        alternatives: in the order of their ranks. Those of another size have nothing in common with the mask.
    """
    is_shuffled = any(one.place is not None for one in alternatives)
    return Comparison(
        n_shown=len(alternatives),
        overlaps=() if mask is None else _compute_overlaps(mask, alternatives),
        score=alternatives[0].suggestion.score if alternatives else None,
        places=tuple(one.shown_place for one in alternatives) if is_shuffled else (),
        favourites=_find_favourites(alternatives),
    )


def _compute_overlaps(mask: RLE, alternatives: Sequence[Alternative]) -> tuple[tuple[int, int], ...]:
    if not alternatives:
        return ((0, mask.area_px),)
    final = _to_coco(mask)
    overlaps = []
    for one in alternatives:
        both = mask.area_px + one.suggestion.mask.area_px
        inside = 0
        if one.suggestion.mask.size == mask.size:
            inside = int(coco.area(coco.merge([final, _to_coco(one.suggestion.mask)], intersect=True)))
        overlaps.append((inside, both - inside))
    return tuple(overlaps)


def _to_coco(mask: RLE) -> dict[str, object]:
    height, width = mask.size
    packed: dict[str, object] = coco.frPyObjects(
        {"size": [height, width], "counts": list(mask.counts)}, height, width
    )
    return packed


def _find_favourites(alternatives: Sequence[Alternative]) -> dict[str, int]:
    best: dict[str, tuple[int, int]] = {}
    for position, one in enumerate(alternatives):
        for method, score in one.suggestion.methods.items():
            best[method] = min(best.get(method, (score.rank, position)), (score.rank, position))
    return {method: position for method, (_, position) in sorted(best.items())}
