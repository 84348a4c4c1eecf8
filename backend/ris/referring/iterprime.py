"""IteRPrimE: Grad-CAM of a matching network, with weight on the primary word and refined iteratively.

Source: Wang et al., "IteRPrimE: Zero-shot Referring Image Segmentation with Iterative Grad-CAM
Refinement and Primary Word Emphasis", AAAI 2025, arXiv:2503.00936, and the authors' released code,
which this file follows wherever the two differ. Details that are easy to get wrong:

* The gradient is that of the "match" logit with respect to the cross-attention probabilities of one layer.
  Its negative part and the column of the image's class token are dropped.
* The stop rule is the code's: stop when the match probability falls. The area factor of the paper's
  description is on both sides of the code's comparison and cancels. The returned map includes the step that
  failed; `keeps_failing_step` switches that off.
* The map of a single pass is sharpened before masks are scored by it; refined maps are not.
* A mask must contain the hottest pixel, or one of several equally hot ones. In a map without heat all pixels
  are equally hot, and every mask that is not in too many parts scores 1.
* Position ramps exist in the code and are not called there. They are off unless a preset switches them on.
* There is no state between texts and steps. The authors' network keeps its mask between calls.
* Of several sentences only the first has focus words, as in the code; the network reads all of them.
* The primary word is the head of the referent's noun phrase, from the parser. The authors take the rightmost
  NN of the first noun phrase of a constituency tree, which misses plurals and names.
* If no proposal contains the hottest pixel, every score is 0, and the caller counts a miss. The authors
  return an empty mask.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.expression import ParsedExpression
from ris.core.masks import compute_inside_matrix
from ris.core.proposals import Proposals
from ris.core.types import Image, MethodScores
from ris.referring.crops import Colour, squash_image
from ris.referring.emphasis import Emphasis, emphasise_primary_word, find_token_positions
from ris.referring.heat import (
    compute_heat_shares,
    count_parts,
    enlarge_heat,
    make_position_ramp,
    scale_to_unit,
)
from ris.referring.protocols import Matcher
from ris.referring.scene import Scene

_EPSILON = 1e-5  # the authors' guard of an empty mask


@dataclass(frozen=True, slots=True)
class IterPrimeSettings:
    """The method's numbers under one preset.

    Attributes:
        mean, std: of RGB in [0, 1]; the image is squashed to a square (Pillow, bicubic).
        template: of the network's text; {} is the expression.
        emphasis: "full" is the method; the others are the authors' ablations, in their order 1 to 4.
        iterations: largest number of passes. 1 switches the refinement off; masks are then scored by the
            sharpened map, as in the code.
        step: weight of a new map in the refined one; the paper's alpha.
        threshold, sharpness: patches whose sharpened heat reaches the threshold are hidden in the next pass.
        keeps_failing_step: return the map with the step that failed, as the code does.
        peak_filter: score only masks with the hottest pixel, or with one of several equally hot ones; others
            get 0.
        max_parts: masks with more parts than this get 0.
        position_ramps: multiply the map by a ramp for words such as "left".
    """

    mean: Colour
    std: Colour
    template: str = "there is a {}"
    emphasis: Emphasis = "full"
    iterations: int = 3
    step: float = 0.2
    threshold: float = 0.5
    sharpness: float = 20.0
    keeps_failing_step: bool = True
    peak_filter: bool = True
    max_parts: int = 12
    position_ramps: bool = False


ITERPRIME_PAPER = IterPrimeSettings(
    mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
)


@dataclass(frozen=True, slots=True)
class IterPrime:
    """The method with one network; see the module's docstring for the source."""

    matcher: Matcher
    settings: IterPrimeSettings
    name: str = "iterprime"

    def see(self, image: Image, proposals: Proposals) -> dict[str, NDArray]:
        """Encode the image, and compute the weights that give each mask's mean heat from a map.

        Returns:
            "encoded": the matcher's encoding; "shares": float32 [N, P], each patch's weight in the sum of
            heat inside the mask; "areas": float32 [N], in pixels; "n_parts": int32 [N].
        """
        settings = self.settings
        picture = squash_image(image.pixels, self.matcher.input_size, mean=settings.mean, std=settings.std)
        return {"encoded": self.matcher.encode_picture(picture), **self.see_masks(image, proposals)}

    def see_masks(self, image: Image, proposals: Proposals) -> dict[str, NDArray]:
        """Compute the arrays of `see` that have a row for each proposal: all but "encoded"."""
        return {
            "shares": compute_heat_shares(proposals, self.matcher.grid_size),
            "areas": np.array([np.count_nonzero(mask) for mask in proposals.masks], np.float32),
            "n_parts": np.array([count_parts(mask) for mask in proposals.masks], np.int32),
        }

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[MethodScores]:
        """Score every proposal by 1 + the mean heat inside it; 0 for those that a filter removes."""
        maps, n_steps = self.compute_heat_maps(scene.features[self.name]["encoded"], expressions)
        return [
            MethodScores(
                self.name,
                self._score_masks(scene, heat),
                evidence={
                    "primary word": "none" if e.primary is None else e.words[e.primary].text,
                    "passes": str(steps),
                },
                heat=np.round(255 * heat).astype(np.uint8),
            )
            for e, heat, steps in zip(expressions, maps, n_steps, strict=True)
        ]

    def compute_heat_maps(
        self, encoded: NDArray[np.float32], expressions: Sequence[ParsedExpression]
    ) -> tuple[NDArray[np.float32], list[int]]:
        """Compute the refined maps; the network reads all expressions in one batch.

        Args:
            encoded: the matcher's encoding of the image.
            expressions: T expressions.

        Returns:
            The maps, float32 [T, G, G] in [0, 1], and the number of passes of each.

        Source: the refinement ("IGRS") of the paper.
        """
        settings, grid = self.settings, self.matcher.grid_size
        texts = [settings.template.format(e.text) for e in expressions]
        positions = [
            find_token_positions(e, spans, offset=settings.template.index("{}"))
            for e, spans in zip(expressions, self.matcher.find_token_spans(texts), strict=True)
        ]
        heat = np.zeros((len(texts), grid * grid), np.float32)
        kept = np.ones((len(texts), grid * grid), np.bool_)
        match = np.zeros(len(texts), np.float32)
        n_passes = [0] * len(texts)
        active = list(range(len(texts)))
        for iteration in range(settings.iterations):
            if not active:
                break
            maps = self.matcher.attend(encoded, [texts[i] for i in active], kept[active])
            still_active = []
            for row, i in enumerate(active):
                cam = emphasise_primary_word(
                    maps.attention[row], maps.gradient[row], positions[i], settings.emphasis
                )
                failed = iteration > 0 and maps.match[row] < match[i]
                if iteration == 0:
                    heat[i] = cam
                elif not failed or settings.keeps_failing_step:
                    heat[i] = (1 - settings.step) * heat[i] + settings.step * cam
                kept[i] &= find_unhidden_patches(cam, settings)
                match[i], n_passes[i] = maps.match[row], iteration + 1
                if not failed:
                    still_active.append(i)
            active = still_active
        refined = list(heat.reshape(-1, grid, grid))
        if settings.position_ramps:
            refined = [
                scale_to_unit(one * make_position_ramp(e.text, grid))
                for one, e in zip(refined, expressions, strict=True)
            ]
        return np.array(refined, np.float32).reshape(-1, grid, grid), n_passes

    def _score_masks(self, scene: Scene, heat: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score as `score_masks` on the enlarged map, without dense masks: the mean is linear in the map."""
        features, settings = scene.features[self.name], self.settings
        if not scene.masks:
            return np.zeros(0, np.float32)
        large = enlarge_heat(heat, scene.size)
        if settings.iterations == 1:  # a sharpened map is not linear in the map
            masks = (rle.decode_rle(mask) for mask in scene.masks)
            return score_masks(masks, sharpen_heat(scale_to_unit(large), settings.sharpness), settings)
        low, high = large.min(), large.max()
        areas = features["areas"]
        sums = (features["shares"] @ heat.ravel() - low * areas) / (high - low) if high > low else 0.0
        scores = (areas + sums) / (areas + _EPSILON)
        is_kept = features["n_parts"] <= settings.max_parts
        if settings.peak_filter:
            is_kept &= compute_inside_matrix([rle.encode_rle(large == high)], scene.masks)[0] > 0
        return np.where(is_kept, scores, 0).astype(np.float32)


def find_unhidden_patches(cam: NDArray[np.float32], settings: IterPrimeSettings) -> NDArray[np.bool_]:
    """Find the patches that stay visible in the next pass: sharpened heat below the threshold. bool [P]."""
    return sharpen_heat(cam, settings.sharpness) < settings.threshold


def sharpen_heat(heat: NDArray[np.float32], sharpness: float) -> NDArray[np.float32]:
    """Sharpen a map by a sigmoid around 0.5, scaled so that its highest value is 1. Same shape, float32."""
    sharp = 1 / (1 + np.exp(-sharpness * (heat - 0.5)))
    return np.asarray(sharp / max(float(sharp.max()), 1e-12), np.float32)


def score_masks(
    masks: Iterable[NDArray[np.bool_]], heat: NDArray[np.float32], settings: IterPrimeSettings
) -> NDArray[np.float32]:
    """Score masks as the released code does, on dense arrays.

    Args:
        masks: N of bool [H, W].
        heat: float32 [H, W] in [0, 1].
        settings: give the filters.

    Returns:
        float32 [N]: 1 + the mean heat inside the mask; 0 for masks that a filter removes.
    """
    peak = heat == heat.max()
    scores = []
    for mask in masks:
        area = np.count_nonzero(mask)
        is_kept = count_parts(mask) <= settings.max_parts
        is_kept &= not settings.peak_filter or bool(mask[peak].any())
        scores.append((area + heat[mask].sum()) / (area + _EPSILON) if is_kept else 0.0)
    return np.array(scores, np.float32)
