"""LGD: what a describer says of the referent and of what is around it corrects CLIP's first opinion.

Source: Li et al., "LGD: Leveraging Generative Descriptions for Zero-Shot Referring Image
Segmentation", Pattern Recognition 172 (2026) 112549, arXiv:2504.14467, and the authors' released code,
which this file follows. Decisions on what is easily got wrong:

* S = S_van + alpha S_att + beta S_sur with beta below 0: what is around the referent counts against a
  mask. alpha 0.5 and beta -1 are the best pair of the authors' own sweep; their text's values are not known.
* A mask is seen twice, alone on black and before its blurred surroundings, in the *same crop*. Both
  features have unit length, their mean does not: where the views disagree it is shorter, and stays so.
* S_sur is the mean over the noun phrases of the surrounding description, pronouns and "a photo" included,
  that are no near-synonyms of the referent's. A description is parsed as it stands; a sentence without a noun
  phrase at its root is no phrase.
* The referent's noun phrase is that of the plain expression in lower case, not of the tokens joined anew.
* Two phrases are near-synonyms by their first nouns. The authors take them from NLTK's tagger, which reads
  each phrase alone; here they are the parser's, which reads it in its sentence. Without a noun none is near.
* No such phrase: the term is 0. The authors divide by nothing, and every mask gets NaN.
* An empty description, or one in another script: its term is 0 and the evidence says so. A describer
  that cannot be asked costs the method, not the suggestion.
* The authors drop small and overlapping masks before they rank. Here all methods rank the same proposals, so
  that is for a preset's proposer to do (`paper` does it) and not for this method.
* The spatial rectifier (`direction.py`) and the synonyms have two rules each, by name: `released` is that of
  the authors' code, `plain words` is ours. A figure with ours is none of LGD's.
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
        local_share: of the view alone in the visual feature; the other is before the blurred ground.
        background: of the view alone and of the padding, RGB in 0..255.
        blur_px: sigma of the Gaussian blur of the ground.
        square: "pad" the crop, or "squash" it.
        box_rule: "authors" loses the last row and column of each mask, as SAM's XYWH boxes do; or "tight".
        attribute_prompt, surrounding_prompt: what the describer is asked; {} is the expression.
        phrase: what a surrounding noun phrase is put into before it is encoded.
        rectifier: let direction words choose among the best masks of the image's quarters, and by which rule
            they are found: "released" or "plain words"; "off" leaves the scores as they are.
        synonyms: by which rule two nouns are near: "released", or "plain words", by which a word is also near
            its own plain form.
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
    """The method over its networks; see the module's text for the source."""

    encoder: Encoder
    describer: Describer
    parser: Parser
    synonyms: Synonyms
    settings: LgdSettings
    name: str = "lgd"

    def see(self, image: Image, proposals: Proposals) -> dict[str, NDArray]:
        """Each mask's feature, and what the describer wants of the image.

        Returns:
            "visual": float32 [N, D], the mean of two unit vectors; "centroids": float32 [N, 2], see
            `compute_centroids`; "looked": the describer's.
        """
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
            "looked": self.describer.look(image),
        }

    def make_views(
        self, pixels: NDArray[np.uint8], masks: MaskStack
    ) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
        """The two pictures of every mask, normalised float32 [3, S, S]: alone, and before the blur."""
        settings, side = self.settings, self.encoder.input_size
        sigma = settings.blur_px
        blurred = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigmaX=sigma, sigmaY=sigma), np.uint8)
        ground = np.broadcast_to(np.array(settings.background, np.uint8), pixels.shape)
        return (
            [preprocess_crop(crop_to_mask(pixels, mask, ground, settings), side, settings) for mask in masks],
            [
                preprocess_crop(crop_to_mask(pixels, mask, blurred, settings), side, settings)
                for mask in masks
            ],
        )

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[MethodScores]:
        """S_van + alpha S_att + beta S_sur of every proposal."""
        settings, seen = self.settings, scene.features[self.name]
        try:
            said = self._describe(scene, seen["looked"], expressions)
        except DescriberError as error:
            return [MethodScores(self.name, skipped_reason=str(error))] * len(expressions)
        scored = []
        for i, expression in enumerate(expressions):
            attribute, surrounding = said[2 * i : 2 * i + 2]
            read = self.parser.parse_tree(expression.raw.lower())
            phrases = self.find_surrounding_phrases(surrounding, read)
            texts = [expression.raw.lower(), *([attribute.lower()] if attribute else [])]
            texts += [settings.phrase.format(phrase) for phrase in phrases]
            words = normalise_rows(self.encoder.encode_texts(texts))
            vanilla, around = words[0], words[2 if attribute else 1 :]
            scores = combine_scores(
                seen["visual"],
                vanilla,
                words[1] if attribute else None,
                around,
                alpha=settings.attribute_weight,
                beta=settings.surrounding_weight,
            )
            evidence = {
                "referent": attribute or "nothing usable was said",
                "around": ", ".join(phrases) or "nothing usable was said",
            }
            if len(scores):
                scores, moved = rectify_scores(scores, seen["centroids"], self._find_side(read, expression))
                evidence |= {"moved to": moved} if moved else {}
            scored.append(MethodScores(self.name, scores, evidence=evidence))
        return scored

    def _find_side(self, read: Tree, expression: ParsedExpression) -> tuple[str, str]:
        match self.settings.rectifier:
            case "released":
                return find_released_direction(read)
            case "plain words":
                return find_plain_direction(expression)
            case "off":
                return "", ""

    def _describe(self, scene: Scene, looked: NDArray, expressions: Sequence[ParsedExpression]) -> list[str]:
        """Both descriptions of every expression, one after the other; only what the weights ask for."""
        settings = self.settings
        wanted = (
            (settings.attribute_prompt, settings.attribute_weight),
            (settings.surrounding_prompt, settings.surrounding_weight),
        )
        prompts = [p.format(e.raw) for e in expressions for p, weight in wanted if weight]
        answers = iter(self.describer.describe(scene.digest, looked, prompts) if prompts else [])
        return [
            clean_description(next(answers)) if weight else "" for _ in expressions for _, weight in wanted
        ]

    def find_surrounding_phrases(self, description: str, referent: Tree) -> list[str]:
        """The noun phrases of a description, as it stands, that do not name the referent itself."""
        if not description:
            return []
        read, target = self.parser.parse_tree(description), referent.referent_noun
        return [
            read.get_text(*p) for p in read.phrases if not self._is_near(read.find_first_noun(*p), target)
        ]

    def _is_near(self, one: str | None, two: str | None) -> bool:
        return one is not None and two is not None and self.synonyms.is_near(one, two)


def crop_to_mask(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], ground: NDArray[np.uint8], settings: LgdSettings
) -> NDArray[np.uint8]:
    """A mask's pixels before another ground, cropped to its box: uint8 [h, w, 3]."""
    x1, y1, x2, y2 = compute_box(mask)
    if settings.box_rule == "authors":
        x2, y2 = max(x2 - 1, x1 + 1), max(y2 - 1, y1 + 1)
    return np.where(mask[y1:y2, x1:x2, None], pixels[y1:y2, x1:x2], ground[y1:y2, x1:x2])


def preprocess_crop(crop: NDArray[np.uint8], side: int, settings: LgdSettings) -> NDArray[np.float32]:
    """As CLIP's own preprocessing has it, after padding: bicubic, normalised float32 [3, side, side].

    The padding is half of the difference on both sides, rounded down, so that an odd difference leaves the
    crop a pixel off square; the longer side is then cut in the middle.
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
    scaled = np.asarray(resized, np.float32) / 255
    scaled = (scaled - np.array(settings.mean, np.float32)) / np.array(settings.std, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def combine_scores(
    visual: NDArray[np.float32],
    vanilla: NDArray[np.float32],
    attribute: NDArray[np.float32] | None,
    around: NDArray[np.float32],
    *,
    alpha: float,
    beta: float,
) -> NDArray[np.float32]:
    """S = S_van + alpha S_att + beta S_sur.

    Args:
        visual: float32 [N, D], as `see` has it: not of unit length.
        vanilla, attribute: float32 [D] of unit length; None for a description that is not there.
        around: float32 [K, D] of unit length, one a surrounding phrase; K may be 0.

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
    """Row and column of each mask's centre of mass, in whole pixels, cut as in the code: float32 [N, 2]."""
    places = []
    for mask in masks:
        rows, columns = mask.sum(1), mask.sum(0)
        area = max(int(rows.sum()), 1)
        places.append([rows @ np.arange(len(rows)) // area, columns @ np.arange(len(columns)) // area])
    return np.array(places, np.float32).reshape(-1, 2)
