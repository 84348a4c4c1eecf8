"""IteRPrimE: where a matching network looks while it says "yes", with weight on the primary word.

Source: Wang et al., "IteRPrimE: Zero-shot Referring Image Segmentation with Iterative Grad-CAM
Refinement and Primary Word Emphasis", AAAI 2025, arXiv:2503.00936, and the authors' released code,
which this file follows wherever the two differ. Decisions on what is easily got wrong:

* The gradient is that of the "match" logit by the cross-attention probabilities of one layer; its
  negative part is dropped, and so is the column of the image's class token.
* The stop rule is the code's: stop when the match probability falls. The area factor of the paper's
  description multiplies both sides of the code's comparison and cancels. The map that is returned
  already holds the step that failed; `keeps_failing_step` switches that off.
* The map of a single pass is sharpened before the masks are chosen by it; refined ones are not.
* Of equally hot pixels a mask must hold one. In a map without any heat all pixels are equally hot, and every
  mask that is not in too many parts scores 1.
* Position ramps exist in the code and are not called there: off, unless a preset says otherwise.
* Between texts and steps nothing is kept. The authors' network keeps its mask between calls.
* Of several sentences the first alone gives words to look at, as in the code; the network reads all.
* The primary word is the head of the referent's noun phrase, from the parser. The authors take the
  rightmost NN of the first noun phrase of a constituency tree, which misses plurals and names.
* No proposal holds the hottest pixel: every score is 0, which is no opinion; the authors answer an
  empty mask. The caller counts that as a miss.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.expression import ParsedExpression, Word
from ris.core.masks import compute_inside_matrix
from ris.core.proposals import Proposals
from ris.core.types import Image, MethodScores
from ris.referring.crops import Colour, squash_image
from ris.referring.heat import (
    compute_heat_shares,
    count_parts,
    enlarge_heat,
    make_position_ramp,
    scale_to_unit,
)
from ris.referring.protocols import Matcher
from ris.referring.scene import Scene

_FOCUS_TAGS = frozenset({"NOUN", "VERB", "ADJ", "PROPN", "NUM"})
_EPSILON = 1e-5  # the authors' guard of an empty mask

Emphasis = Literal["full", "all words", "focus words", "repeated", "local only"]


@dataclass(frozen=True, slots=True)
class IterPrimeSettings:
    """The method's numbers under one preset.

    Attributes:
        mean, std: of RGB in [0, 1]; the image is squashed to a square (Pillow, bicubic).
        template: what the words are put into.
        emphasis: "full" is the method; the others are the authors' ablations, in their order 1 to 4.
        iterations: at most so many passes; 1 switches the refinement off, and the masks are then chosen
            by the sharpened map, as in the code.
        step: share of a new map in the refined one; the paper's alpha.
        threshold, sharpness: patches whose sharpened heat reaches the threshold are hidden next.
        keeps_failing_step: on a stop return the map that holds the step that failed, as the code does.
        peak_filter: only masks that hold the hottest pixel are considered; of several equally hot ones, any.
        max_parts: masks in more pieces than this are not considered.
        position_ramps: let "left" and its like lean the map to that side.
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
class TokenPositions:
    """Token positions of one text: what the method reads of it.

    Attributes:
        focus: of the words that carry meaning, in order.
        primary: of the primary word; empty when there is none.
        n_tokens: how many positions the text has, the tokens around it included.
    """

    focus: tuple[int, ...]
    primary: tuple[int, ...]
    n_tokens: int


@dataclass(frozen=True, slots=True)
class IterPrime:
    """The method over one network; see the module's text for the source."""

    matcher: Matcher
    settings: IterPrimeSettings
    name: str = "iterprime"

    def see(self, image: Image, proposals: Proposals) -> dict[str, NDArray]:
        """The encoded picture, and of each mask what turns a map into its mean heat.

        Returns:
            "encoded": the matcher's; "shares": float32 [N, P], each patch's part in the sum of heat
            inside the mask; "areas": float32 [N] pixels; "n_parts": int32 [N].
        """
        settings, grid = self.settings, self.matcher.grid_size
        picture = squash_image(image.pixels, self.matcher.input_size, mean=settings.mean, std=settings.std)
        return {
            "encoded": self.matcher.encode_picture(picture),
            "shares": compute_heat_shares(proposals, grid),
            "areas": np.array([np.count_nonzero(mask) for mask in proposals.masks], np.float32),
            "n_parts": np.array([count_parts(mask) for mask in proposals.masks], np.int32),
        }

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[MethodScores]:
        """1 + the mean heat inside every proposal; 0 for those that are not considered."""
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
        """The refined maps, float32 [T, G, G] in [0, 1], and how many passes each took.

        Source: the refinement ("IGRS") of the paper; all expressions go through the network together.
        """
        settings, grid = self.settings, self.matcher.grid_size
        texts = [settings.template.format(e.text) for e in expressions]
        pieces = [
            find_token_positions(e, spans, offset=settings.template.index("{}"))
            for e, spans in zip(expressions, self.matcher.find_token_spans(texts), strict=True)
        ]
        heat = np.zeros((len(texts), grid * grid), np.float32)
        kept = np.ones((len(texts), grid * grid), np.bool_)
        match = np.zeros(len(texts), np.float32)
        passes = [0] * len(texts)
        going = list(range(len(texts)))
        for iteration in range(settings.iterations):
            if not going:
                break
            seen = self.matcher.attend(encoded, [texts[i] for i in going], kept[going])
            still = []
            for row, i in enumerate(going):
                cam = emphasise_primary_word(
                    seen.attention[row], seen.gradient[row], pieces[i], settings.emphasis
                )
                failed = iteration > 0 and seen.match[row] < match[i]
                if iteration == 0:
                    heat[i] = cam
                elif not failed or settings.keeps_failing_step:
                    heat[i] = (1 - settings.step) * heat[i] + settings.step * cam
                kept[i] &= find_unhidden_patches(cam, settings)
                match[i], passes[i] = seen.match[row], iteration + 1
                if not failed:
                    still.append(i)
            going = still
        maps = list(heat.reshape(-1, grid, grid))
        if settings.position_ramps:
            maps = [
                scale_to_unit(m * make_position_ramp(e.text, grid))
                for m, e in zip(maps, expressions, strict=True)
            ]
        return np.array(maps, np.float32).reshape(-1, grid, grid), passes

    def _score_masks(self, scene: Scene, heat: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `score_masks` on the enlarged map, without a dense mask: the mean is linear in the map."""
        seen, settings = scene.features[self.name], self.settings
        if not scene.masks:
            return np.zeros(0, np.float32)
        large = enlarge_heat(heat, scene.size)
        if settings.iterations == 1:  # a sharpened map is not linear in the map
            masks = (rle.decode_rle(mask) for mask in scene.masks)
            return score_masks(masks, sharpen_heat(scale_to_unit(large), settings.sharpness), settings)
        low, high = large.min(), large.max()
        sums = (seen["shares"] @ heat.ravel() - low * seen["areas"]) / (high - low) if high > low else 0.0
        scores = (seen["areas"] + sums) / (seen["areas"] + _EPSILON)
        considered = seen["n_parts"] <= settings.max_parts
        if settings.peak_filter:
            considered &= compute_inside_matrix([rle.encode_rle(large == high)], scene.masks)[0] > 0
        return np.where(considered, scores, 0).astype(np.float32)


def find_token_positions(
    expression: ParsedExpression, spans: Sequence[tuple[int, int]], *, offset: int
) -> TokenPositions:
    """Which token positions the method reads.

    Args:
        spans: of each position the characters of the text that it stands for, (0, 0) for the tokens
            around it.
        offset: where in the text the expression begins.
    """

    def find_positions(word: Word) -> tuple[int, ...]:
        start, stop = word.start + offset, word.stop + offset
        return tuple(i for i, (a, b) in enumerate(spans) if a < b and start <= a and b <= stop)

    words = expression.words
    return TokenPositions(
        focus=tuple(
            p
            for word in words[: expression.n_first_sentence]
            if word.pos in _FOCUS_TAGS
            for p in find_positions(word)
        ),
        primary=() if expression.primary is None else find_positions(words[expression.primary]),
        n_tokens=len(spans),
    )


def emphasise_primary_word(
    attention: NDArray[np.float32],
    gradient: NDArray[np.float32],
    pieces: TokenPositions,
    emphasis: Emphasis = "full",
) -> NDArray[np.float32]:
    """Primary word emphasis ("PWEM"): one map from the attention of all words.

    Args:
        attention: float32 [heads, L, P], probabilities.
        gradient: the same shape; its negative part is dropped here.

    Returns:
        float32 [P] in [0, 1].

    The ablations "focus words" and "repeated" take all words where none carries meaning.

    Source: papers sheet 3; the paper's local ("E") and global (repetition) emphasis, modes 0 to 4 of the
    released code.
    """
    a, g = attention[:, : pieces.n_tokens], np.maximum(gradient[:, : pieces.n_tokens], 0)
    focus, primary = list(pieces.focus), list(pieces.primary)
    repeated = focus + primary * len(focus)
    if emphasis == "all words" or (emphasis in ("focus words", "repeated") and not focus):
        return scale_to_unit((g * a).mean((0, 1)))
    if emphasis in ("focus words", "repeated"):
        tokens = [0, *(repeated if emphasis == "repeated" else focus)]
        return scale_to_unit((g[:, tokens] * a[:, tokens]).mean((0, 1)))
    if not primary:
        # As in the code: heads are averaged before the product, and with focus words it takes all words.
        product = g.mean(0) * a.mean(0)
        return scale_to_unit(product.mean(0) if focus else product[0])
    own_a, own_g = a[:, primary].mean(1), g[:, primary].mean(1)
    others = [o for o in dict.fromkeys(focus) if o not in primary]
    other_a = a[:, others] if others else np.zeros_like(own_a)[:, None]
    away = own_a[:, None] - other_a
    length = np.linalg.norm(away, axis=1, keepdims=True)
    away = away / np.where(length == 0, 1e-8, length)
    stack = [g[:, 0] * a[:, 0], *np.moveaxis(away * (own_g * own_g * own_a)[:, None], 1, 0)]
    stack += [g[:, t] * a[:, t] for t in (repeated if emphasis == "full" else focus)]
    return scale_to_unit(np.mean(stack, 0).mean(0))


def find_unhidden_patches(cam: NDArray[np.float32], settings: IterPrimeSettings) -> NDArray[np.bool_]:
    """Which patches the next pass may look at: those whose sharpened heat stays below the threshold."""
    return sharpen_heat(cam, settings.sharpness) < settings.threshold


def sharpen_heat(heat: NDArray[np.float32], sharpness: float) -> NDArray[np.float32]:
    """A sigmoid around half of the heat, its highest value brought to 1."""
    sharp = 1 / (1 + np.exp(-sharpness * (heat - 0.5)))
    return np.asarray(sharp / max(float(sharp.max()), 1e-12), np.float32)


def score_masks(
    masks: Iterable[NDArray[np.bool_]], heat: NDArray[np.float32], settings: IterPrimeSettings
) -> NDArray[np.float32]:
    """The mask choice as the released code has it, on dense arrays.

    Args:
        masks: N of bool [H, W].
        heat: float32 [H, W] in [0, 1].

    Returns:
        float32 [N]: 1 + the mean heat inside, 0 for masks that are not considered.
    """
    peak = heat == heat.max()
    scores = []
    for mask in masks:
        area = np.count_nonzero(mask)
        considered = count_parts(mask) <= settings.max_parts
        considered &= not settings.peak_filter or bool(mask[peak].any())
        scores.append((area + heat[mask].sum()) / (area + _EPSILON) if considered else 0.0)
    return np.array(scores, np.float32)
