"""Inputs of the networks: normalised images, crops with the background replaced, patch grids."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core.boxes import compute_authors_box, compute_box
from ris.core.resize import resize, scale_to_shorter_side

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Framing:
    """The preprocessing of images and masks. Its numbers belong to a method under a preset.

    Attributes:
        mean, std: of RGB in [0, 1]; pixels are normalised with them.
        working_side: resize the image first, so that its shorter side has this many pixels (Pillow, bilinear;
            the longer side is truncated to whole pixels). None uses the image as it is.
        antialias: average when shrinking images and crops; the authors' torchvision did not.
        background: the colour around a masked crop, in *normalised* space.
        box_rule: "tight", or "authors" for the crop of the released code, a pixel up-left.
        grid_antialias: average when resizing a mask to the patch grid; the authors took point samples.
        grid_floor: patches below this share of the mask's highest patch become 0. With averages and a floor
            below 1 every mask keeps at least one patch. 0 changes nothing.
    """

    mean: Colour
    std: Colour
    working_side: int | None
    antialias: bool
    background: Colour
    box_rule: Literal["tight", "authors"]
    grid_antialias: bool
    grid_floor: float


def normalise_image(pixels: NDArray[np.uint8], framing: Framing) -> NDArray[np.float32]:
    """Normalise an image, resized to `working_side`: uint8 [H, W, 3] -> float32 [3, h, w]."""
    if framing.working_side is not None:
        height, width = scale_to_shorter_side((pixels.shape[0], pixels.shape[1]), framing.working_side)
        pixels = np.asarray(Pillow.fromarray(pixels).resize((width, height), Pillow.Resampling.BILINEAR))
    return _scale_pixels(pixels, framing.mean, framing.std)


def _scale_pixels(pixels: NDArray[np.uint8], mean: Colour, std: Colour) -> NDArray[np.float32]:
    """Normalise pixels: uint8 [H, W, 3] -> float32 [3, H, W]."""
    scaled = pixels.astype(np.float32)  # changed in place: each copy of 12 megapixels takes 144 MB
    scaled /= 255
    scaled -= _to_array(mean)
    scaled /= _to_array(std)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def _to_array(colour: Colour) -> NDArray[np.float32]:
    return np.array(colour, np.float32)


def squash_picture(picture: NDArray[np.float32], side: int, framing: Framing) -> NDArray[np.float32]:
    """Squash a normalised image to a square: float32 [3, h, w] -> [3, side, side]. Nothing is cropped."""
    return resize(picture, (side, side), antialias=framing.antialias)


def crop_masked(
    picture: NDArray[np.float32], mask: NDArray[np.bool_], side: int, framing: Framing
) -> NDArray[np.float32]:
    """Crop an image to a mask, put the background colour around the mask and squash the crop to a square.

    Args:
        picture: normalised float32 [3, H, W] in the mask's frame.
        mask: bool [H, W], not empty.
        side: of the result, in pixels.
        framing: gives the box rule, the background and the resizing.

    Returns:
        float32 [3, side, side].
    """
    # The authors replace the background first; cropping first gives the same pixels with less work.
    box = compute_box(mask) if framing.box_rule == "tight" else compute_authors_box(mask)
    x1, y1, x2, y2 = box
    ground = _to_array(framing.background)[:, None, None]
    alone = np.where(mask[y1:y2, x1:x2], picture[:, y1:y2, x1:x2], ground)
    return resize(alone, (side, side), antialias=framing.antialias)


def make_patch_grid(mask: NDArray[np.bool_], side: int, framing: Framing) -> NDArray[np.float32]:
    """Resize a mask to a factor for each patch: bool [H, W] -> float32 [side, side] in [0, 1]."""
    grid = resize(mask, (side, side), antialias=framing.grid_antialias)
    return np.where(grid < framing.grid_floor * grid.max(), np.float32(0), grid)


def squash_image(pixels: NDArray[np.uint8], side: int, *, mean: Colour, std: Colour) -> NDArray[np.float32]:
    """Squash an image to a normalised square (Pillow, bicubic): uint8 [H, W, 3] -> [3, side, side]."""
    small = np.asarray(Pillow.fromarray(pixels).resize((side, side), Pillow.Resampling.BICUBIC))
    return _scale_pixels(small, mean, std)
