"""LGD: descriptions of the referent and of its surroundings correct CLIP's scores of the expression.

Source: Li et al., "LGD: Leveraging Generative Descriptions for Zero-Shot Referring Image
Segmentation", Pattern Recognition 172 (2026) 112549, arXiv:2504.14467, and the authors' released code,
which this file follows. Details that are easy to get wrong:

* S = S_van + alpha S_att + beta S_sur with beta below 0: similarity to the surroundings lowers a mask's
  score. alpha 0.5 and beta -1 are the best pair of the authors' own sweep; the values of the paper are not
  known.
* Each mask has two views with the *same crop*: alone on black, and before its blurred surroundings. Both
  features have unit length. Their mean is shorter where the views disagree, and is not normalised again.
* S_sur is the mean over the noun phrases of the surrounding description that are no near-synonyms of the
  referent's noun phrase. Pronouns and "a photo" are included. A description is parsed as written; a sentence
  without a noun phrase at its root has no phrase.
* The referent's noun phrase is that of the raw expression in lower case, not of its tokens joined anew.
* Two phrases are near-synonyms if their first nouns are. The authors take the nouns from NLTK's tagger, which
  reads each phrase alone. Here they are from the parser, which reads the phrase in its sentence. A phrase
  without a noun has no near-synonyms.
* Without such a phrase S_sur is 0. In the authors' code it is a division by zero, and every mask gets NaN.
* An empty description, or one in another script, has a term of 0, and the evidence says so. If the describer
  fails, the method is skipped and the other methods still rank.
* The authors drop small and overlapping masks before they rank. Here all methods rank the same proposals, so
  the preset's proposer drops them (`paper` does) and not this method.
* The spatial rectifier (`direction.py`) and the synonyms have two rules each: `released` is that of the
  authors' code, `plain words` is ours. Results with our rules are not results of LGD.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core.arrays import normalise_rows
from ris.core.boxes import compute_box
from ris.core.expression import ParsedExpression
from ris.core.proposals import Proposals
from ris.core.resize import scale_to_shorter_side
from ris.core.stack import MaskStack
from ris.core.tree import Tree
from ris.core.types import Image, MethodScores
from ris.errors import DescriberError
from ris.referring.crops import Colour
from ris.referring.description import clean_description
from ris.referring.direction import find_plain_direction, find_released_direction, rectify_scores
from ris.referring.protocols import Describer, Encoder, Parser, Synonyms
from ris.referring.scene import Scene

_LOGIT_SCALE = 100.0  # exp of CLIP's trained temperature

_PROMPT_START = (
    'Given a image and the corresponding referring expression "{}", the entity referred by the referring '
    "expression is unique in the image. "
)
ATTRIBUTE_PROMPT = _PROMPT_START + (
    "Please generate a caption with local concept to describe the referent object according to the "
    'referring expression. The format is "a photo of  <object>(attribute)" '
)
SURROUNDING_PROMPT = _PROMPT_START + (
    "Please generate a caption to describe the referent object and its surrounding entities according to "
    'the referring expression. The format is "a photo of  <object> surrounded by (entities)" '
)


@dataclass(frozen=True, slots=True)
class LgdSettings:
    """The method's numbers under one preset.

    Attributes:
        mean, std: of RGB in [0, 1].
        attribute_weight, surrounding_weight: alpha and beta.
        local_share: weight of the view on the background colour; the other view has the blurred image.
        background: of the first view and of the padding, RGB in 0..255.
        blur_px: sigma of the Gaussian blur.
        square: "pad" the crop to a square, or "squash" it.
        box_rule: "tight", or "authors", which loses the last row and column of each mask as SAM's XYWH boxes
            do.
        attribute_prompt, surrounding_prompt: questions to the describer; {} is the expression.
        phrase: template of a surrounding noun phrase before it is encoded; {} is the phrase.
        rectifier: the rule that finds direction words, "released" or "plain words"; the best mask of the
            named side of the image is then put first. "off" leaves the scores as they are.
        synonyms: the rule of near-synonyms: "released", or "plain words", where a word is also near its own
            singular.
    """

    mean: Colour
    std: Colour
    attribute_weight: float = 0.5
    surrounding_weight: float = -1.0
    local_share: float = 0.5
    background: tuple[int, int, int] = (0, 0, 0)
    blur_px: float = 50.0
    square: str = "pad"
    box_rule: str = "authors"
    attribute_prompt: str = ATTRIBUTE_PROMPT
    surrounding_prompt: str = SURROUNDING_PROMPT
    phrase: str = "a photo of {}"
    rectifier: Literal["released", "plain words", "off"] = "released"
    synonyms: Literal["released", "plain words"] = "released"


LGD_PAPER = LgdSettings(
    mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
)
LGD_PLAIN_WORDS = replace(LGD_PAPER, rectifier="plain words", synonyms="plain words")


@dataclass(frozen=True, slots=True)
class Lgd:
    """The method with its networks; see the module's docstring for the source."""

    encoder: Encoder
    describer: Describer
    parser: Parser
    synonyms: Synonyms
    settings: LgdSettings
    name: str = "lgd"

    def see(self, image: Image, proposals: Proposals) -> dict[str, NDArray]:
        """Compute each mask's feature, and the describer's encoding of the image.

        Returns:
            "visual": float32 [N, D], the mean of two unit vectors; "centroids": float32 [N, 2], see
            `compute_centroids`; "looked": the describer's.
        """
        return {**self.see_masks(image, proposals), "looked": self.describer.look(image)}

    def see_masks(self, image: Image, proposals: Proposals) -> dict[str, NDArray]:
        """Compute the arrays of `see` that have a row for each proposal: all but "looked"."""
        alone, before_blur = self.make_views(image.pixels, proposals.masks)
        side = self.encoder.input_size
        features = [
            normalise_rows(self.encoder.encode_images(np.array(view, np.float32).reshape(-1, 3, side, side)))
            for view in (alone, before_blur)
        ]
        share = np.float32(self.settings.local_share)
        return {
            "visual": share * features[0] + (1 - share) * features[1],
            "centroids": compute_centroids(proposals.masks),
        }

    def make_views(
        self, pixels: NDArray[np.uint8], masks: MaskStack
    ) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
        """Make the two views of every mask: on the background colour, and before the blurred image.

        Args:
            pixels: uint8 [H, W, 3].
            masks: N of bool [H, W].

        Returns:
            Two lists of N normalised float32 [3, S, S].
        """
        settings, side = self.settings, self.encoder.input_size
        sigma = settings.blur_px
        blurred = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigmaX=sigma, sigmaY=sigma), np.uint8)
        plain = np.broadcast_to(np.array(settings.background, np.uint8), pixels.shape)
        return (
            [preprocess_crop(crop_to_mask(pixels, mask, plain, settings), side, settings) for mask in masks],
            [
                preprocess_crop(crop_to_mask(pixels, mask, blurred, settings), side, settings)
                for mask in masks
            ],
        )

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[MethodScores]:
        """Score every proposal by S_van + alpha S_att + beta S_sur, then apply the rectifier."""
        settings, features = self.settings, scene.features[self.name]
        try:
            descriptions = self._describe(scene, features["looked"], expressions)
        except DescriberError as error:
            return [MethodScores(self.name, skipped_reason=str(error))] * len(expressions)
        scored = []
        for i, expression in enumerate(expressions):
            attribute, surrounding = descriptions[2 * i : 2 * i + 2]
            tree = self.parser.parse_tree(expression.raw.lower())
            phrases = self.find_surrounding_phrases(surrounding, tree)
            texts = [expression.raw.lower(), *([attribute.lower()] if attribute else [])]
            texts += [settings.phrase.format(phrase) for phrase in phrases]
            words = normalise_rows(self.encoder.encode_texts(texts))
            vanilla, around = words[0], words[2 if attribute else 1 :]
            scores = combine_scores(
                features["visual"],
                vanilla,
                words[1] if attribute else None,
                around,
                alpha=settings.attribute_weight,
                beta=settings.surrounding_weight,
            )
            evidence = {
                "referent": attribute or "no usable description",
                "around": ", ".join(phrases) or "no usable description",
            }
            if len(scores):
                side = self._find_side(tree, expression)
                scores, moved = rectify_scores(scores, features["centroids"], side)
                evidence |= {"moved to": moved} if moved else {}
            scored.append(MethodScores(self.name, scores, evidence=evidence))
        return scored

    def _find_side(self, tree: Tree, expression: ParsedExpression) -> tuple[str, str]:
        match self.settings.rectifier:
            case "released":
                return find_released_direction(tree)
            case "plain words":
                return find_plain_direction(expression)
            case "off":
                return "", ""

    def _describe(self, scene: Scene, looked: NDArray, expressions: Sequence[ParsedExpression]) -> list[str]:
        """Get both descriptions of every expression, in turn; "" where the weight of a description is 0."""
        settings = self.settings
        questions = (
            (settings.attribute_prompt, settings.attribute_weight),
            (settings.surrounding_prompt, settings.surrounding_weight),
        )
        prompts = [p.format(e.raw) for e in expressions for p, weight in questions if weight]
        answers = iter(self.describer.describe(scene.digest, looked, prompts) if prompts else [])
        return [
            clean_description(next(answers)) if weight else "" for _ in expressions for _, weight in questions
        ]

    def find_surrounding_phrases(self, description: str, referent: Tree) -> list[str]:
        """Find the noun phrases of a description that do not name the referent itself.

        Args:
            description: as written.
            referent: tree of the expression.
        """
        if not description:
            return []
        tree, noun = self.parser.parse_tree(description), referent.referent_noun
        return [tree.get_text(*p) for p in tree.phrases if not self._is_near(tree.find_first_noun(*p), noun)]

    def _is_near(self, one: str | None, two: str | None) -> bool:
        return one is not None and two is not None and self.synonyms.is_near(one, two)


def crop_to_mask(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], background: NDArray[np.uint8], settings: LgdSettings
) -> NDArray[np.uint8]:
    """Put a mask's pixels before a background and crop to the mask's box: uint8 [h, w, 3].

    Args:
        pixels: uint8 [H, W, 3].
        mask: bool [H, W], not empty.
        background: uint8 [H, W, 3].
        settings: give the box rule.
    """
    x1, y1, x2, y2 = compute_box(mask)
    if settings.box_rule == "authors":
        x2, y2 = max(x2 - 1, x1 + 1), max(y2 - 1, y1 + 1)
    return np.where(mask[y1:y2, x1:x2, None], pixels[y1:y2, x1:x2], background[y1:y2, x1:x2])


def preprocess_crop(crop: NDArray[np.uint8], side: int, settings: LgdSettings) -> NDArray[np.float32]:
    """Preprocess a crop as CLIP does (bicubic, normalised), after padding: float32 [3, side, side].

    The padding is half of the difference on both sides, rounded down. An odd difference leaves the crop one
    pixel off square; then the longer side is cropped at the centre.
    """
    height, width = crop.shape[:2]
    if settings.square == "pad":
        rows, columns = max(width - height, 0) // 2, max(height - width, 0) // 2
        crop = np.stack(
            [
                np.pad(crop[..., c], ((rows, rows), (columns, columns)), constant_values=value)
                for c, value in enumerate(settings.background)
            ],
            -1,
        )
        height, width = scale_to_shorter_side((crop.shape[0], crop.shape[1]), side)
        resized = Pillow.fromarray(crop).resize((width, height), Pillow.Resampling.BICUBIC)
        left, top = round((width - side) / 2), round((height - side) / 2)
        resized = resized.crop((left, top, left + side, top + side))
    else:
        resized = Pillow.fromarray(crop).resize((side, side), Pillow.Resampling.BICUBIC)
    # Channels first, then in place: NumPy is slow where the innermost axis has three elements.
    scaled = np.asarray(resized).transpose(2, 0, 1).astype(np.float32, order="C")
    scaled /= 255
    scaled -= np.array(settings.mean, np.float32)[:, None, None]
    scaled /= np.array(settings.std, np.float32)[:, None, None]
    return scaled


def combine_scores(
    visual: NDArray[np.float32],
    vanilla: NDArray[np.float32],
    attribute: NDArray[np.float32] | None,
    around: NDArray[np.float32],
    *,
    alpha: float,
    beta: float,
) -> NDArray[np.float32]:
    """Compute S = S_van + alpha S_att + beta S_sur.

    Args:
        visual: float32 [N, D] from `see`, not of unit length.
        vanilla: float32 [D] of unit length, the expression.
        attribute: float32 [D] of unit length, the attribute description; None without one.
        around: float32 [K, D] of unit length, one per surrounding phrase; K may be 0.
        alpha: weight of the attribute term.
        beta: weight of the surrounding term.

    Returns:
        float32 [N], on the scale of 100 times the cosine.
    """
    scores = _LOGIT_SCALE * visual @ vanilla
    if attribute is not None:
        scores = scores + alpha * _LOGIT_SCALE * visual @ attribute
    if len(around):
        scores = scores + beta * (_LOGIT_SCALE * visual @ around.T).mean(1)
    return np.asarray(scores, np.float32)


def compute_centroids(masks: MaskStack) -> NDArray[np.float32]:
    """Compute row and column of each mask's centre of mass, truncated to whole pixels: float32 [N, 2]."""
    centroids = []
    for mask in masks:
        rows, columns = mask.sum(1), mask.sum(0)
        area = max(int(rows.sum()), 1)
        centroids.append([rows @ np.arange(len(rows)) // area, columns @ np.arange(len(columns)) // area])
    return np.array(centroids, np.float32).reshape(-1, 2)
