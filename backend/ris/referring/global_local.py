"""Global-Local CLIP: a mask-guided view of the whole image, mixed with the masked crop.

Source: Yu, Seo and Son, "Zero-shot Referring Image Segmentation with Global-Local Context
Features", CVPR 2023, arXiv:2303.17811, and the authors' released code where the paper leaves a question open.
Details that are easy to get wrong:

* The patches are *multiplied* by the resized mask before the first masked block and again before each later
  one. The class token stays as it is, and zeroed patches still take part in attention. No patch is removed.
* With a ViT the two visual features are mixed raw and normalised afterwards, and so are the two text
  features. So the lengths of the features act as weights.
* With a ResNet the crops and texts have unit length, the masked view stays raw, and nothing is normalised
  afterwards. So the length of the masked view is part of the score.
* The authors normalise with ImageNet's statistics, take point samples when they resize, and fill the
  background with ImageNet's mean *after* normalisation. These are settings (`Framing`). Presets with
  published weights have the authors' values; the embedded preset has those of its network's training.
* A mask that contains no sample point has an all-zero grid, and all such masks get equal scores. Equal scores
  keep the order of the proposals.
* Without proposals the scores are empty, and the caller counts a miss. No sample is skipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ris.core.arrays import normalise_rows
from ris.core.expression import ParsedExpression
from ris.core.proposals import Proposals
from ris.core.resize import resize
from ris.core.stack import MaskStack
from ris.core.types import Image, MethodScores
from ris.referring.crops import Framing, crop_masked, make_patch_grid, normalise_image, squash_picture
from ris.referring.protocols import Encoder
from ris.referring.scene import Scene

_LOGIT_SCALE = 100.0  # exp of CLIP's trained temperature; the authors' scores are on this scale


@dataclass(frozen=True, slots=True)
class GlobalLocalSettings:
    """The method's numbers under one preset.

    Attributes:
        framing: preprocessing of images and masks.
        view_weight: weight of the mask-guided view in the visual feature; the paper's alpha, the code's v.
        text_weight: weight of the whole sentence in the text feature; the paper's beta, the code's r.
        first_masked_block: 0-based and absolute; the authors use 9 for every ViT.
        mixing: "raw" is the authors' ViT path, 100 x the cosine of two mixes of raw features. "unit" is their
            ResNet path, 100 x the product of two mixes in which all but the masked view have unit length.
    """

    framing: Framing
    view_weight: float
    text_weight: float
    first_masked_block: int
    mixing: Literal["raw", "unit"] = "raw"


IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

GLOBAL_LOCAL_PAPER = GlobalLocalSettings(
    framing=Framing(
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        working_side=800,
        antialias=False,
        background=IMAGENET_MEAN,
        box_rule="authors",
        grid_antialias=False,
        grid_floor=0.0,
    ),
    view_weight=0.95,  # RefCOCO and RefCOCO+; 0.85 on RefCOCOg
    text_weight=0.5,
    first_masked_block=9,
)

GLOBAL_LOCAL_PAPER_RN50 = replace(GLOBAL_LOCAL_PAPER, first_masked_block=0, mixing="unit")


@dataclass(frozen=True, slots=True)
class GlobalLocal:
    """The method with one network; see the module's docstring for the source."""

    encoder: Encoder
    settings: GlobalLocalSettings
    name: str = "global-local"

    def see(self, image: Image, proposals: Proposals) -> dict[str, NDArray[np.float32]]:
        """Compute the arrays of `see_masks`; nothing depends on the whole image."""
        return self.see_masks(image, proposals)

    def see_masks(self, image: Image, proposals: Proposals) -> dict[str, NDArray[np.float32]]:
        """Compute the mixed visual feature of every proposal.

        Returns:
            "visual": float32 [N, D], not normalised.
        """
        picture = normalise_image(image.pixels, self.settings.framing)
        masked = self.compute_global_features(picture, proposals.masks)
        cropped = self._prepare_features(self.compute_local_features(picture, proposals.masks))
        return {"visual": mix_features(masked, cropped, weight=self.settings.view_weight)}

    def compute_global_features(self, picture: NDArray[np.float32], masks: MaskStack) -> NDArray[np.float32]:
        """Compute the feature of each mask within the whole image ("token masking"): float32 [N, D], raw.

        Args:
            picture: normalised float32 [3, h, w].
            masks: N of bool [H, W]; H, W may differ from h, w: both are squashed to the same square.
        """
        encoder, framing = self.encoder, self.settings.framing
        grids = [make_patch_grid(mask, encoder.grid_size, framing) for mask in masks]
        return encoder.encode_masked(
            squash_picture(picture, encoder.input_size, framing),
            np.array(grids, np.float32).reshape(-1, encoder.grid_size, encoder.grid_size),
            first_masked_block=self.settings.first_masked_block,
        )

    def compute_local_features(self, picture: NDArray[np.float32], masks: MaskStack) -> NDArray[np.float32]:
        """Compute the feature of each masked crop: float32 [N, D], raw.

        Args:
            picture: normalised float32 [3, h, w].
            masks: N of bool [H, W]; the image is resized to H, W if they differ from h, w.
        """
        side, framing = self.encoder.input_size, self.settings.framing
        if picture.shape[1:] != masks.shape[1:]:
            picture = resize(picture, (masks.shape[1], masks.shape[2]), antialias=framing.antialias)
        crops = [crop_masked(picture, mask, side, framing) for mask in masks]
        return self.encoder.encode_images(np.array(crops, np.float32).reshape(-1, 3, side, side))

    def compute_text_features(self, expressions: Sequence[ParsedExpression]) -> NDArray[np.float32]:
        """Compute the feature of each sentence mixed with its noun phrase: float32 [T, D], not normalised."""
        texts = [text for e in expressions for text in (e.text, e.subject)]
        encoded = self._prepare_features(self.encoder.encode_texts(texts))
        return mix_features(encoded[0::2], encoded[1::2], weight=self.settings.text_weight)

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[MethodScores]:
        """Score every proposal by 100 x the cosine, or product, with the expression."""
        visual = scene.features[self.name]["visual"]
        compare = compute_cosine if self.settings.mixing == "raw" else np.matmul
        return [
            MethodScores(self.name, _LOGIT_SCALE * compare(visual, text), evidence={"noun phrase": e.subject})
            for e, text in zip(expressions, self.compute_text_features(expressions), strict=True)
        ]

    def _prepare_features(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return features of crops and texts as they are mixed: raw, or with rows of unit length."""
        return features if self.settings.mixing == "raw" else normalise_rows(features)


def mix_features(
    first: NDArray[np.float32], second: NDArray[np.float32], *, weight: float
) -> NDArray[np.float32]:
    """Compute weight x first + (1 - weight) x second.

    Args:
        first: float32 [N, D].
        second: float32 [N, D].
        weight: of the first, in [0, 1].

    Raises:
        ValueError: the shapes differ, or the weight is outside [0, 1].
    """
    if first.shape != second.shape or not 0 <= weight <= 1:
        raise ValueError(
            f"a mix needs two arrays of one shape and a weight in [0, 1], "
            f"got {first.shape}, {second.shape} and {weight}"
        )
    return np.float32(weight) * first + np.float32(1 - weight) * second


def compute_cosine(features: NDArray[np.float32], text: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the cosine of features float32 [N, D] with a text [D]: [N] in [-1, 1]; 0 for a zero feature."""
    lengths = np.linalg.norm(features, axis=-1) * np.linalg.norm(text)
    return np.asarray(features @ text / np.maximum(lengths, np.float32(1e-12)), np.float32)
