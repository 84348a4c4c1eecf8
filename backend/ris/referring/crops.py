"""What a method shows to its network: normalised pictures, crops with the ground replaced, patch grids."""

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
    """How pixels reach the network; the numbers belong to a method under a preset.

    Attributes:
        mean, std: of RGB in [0, 1], subtracted and divided by.
        working_side: first bring the shorter side of the image to this many pixels, the longer one cut
            to whole pixels (Pillow, bilinear), and take everything from that; None takes the image as it is.
        antialias: average when shrinking pictures and crops; the authors' torchvision did not.
        background: what replaces the ground around a crop, in *normalised* space.
        box_rule: "tight", or "authors" for the crop of the released code, a pixel up-left.
        grid_antialias: average when a mask is brought to the patch grid; the authors' took points.
        grid_floor: patches with less than this share of the mask's own best patch become 0. With
            averages and a floor below 1 no mask ever loses all its patches. 0 changes nothing.
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
    """uint8 [H, W, 3] -> float32 [3, h, w], h and w as `working_side` says."""
    if framing.working_side is not None:
        height, width = scale_to_shorter_side((pixels.shape[0], pixels.shape[1]), framing.working_side)
        pixels = np.asarray(Pillow.fromarray(pixels).resize((width, height), Pillow.Resampling.BILINEAR))
    return _scale_pixels(pixels, framing.mean, framing.std)


def _scale_pixels(pixels: NDArray[np.uint8], mean: Colour, std: Colour) -> NDArray[np.float32]:
    """uint8 [H, W, 3] -> float32 [3, H, W]; in place, because each copy of 12 megapixels is 144 MB."""
    scaled = pixels.astype(np.float32)
    scaled /= 255
    scaled -= _to_array(mean)
    scaled /= _to_array(std)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def _to_array(colour: Colour) -> NDArray[np.float32]:
    return np.array(colour, np.float32)


def squash_picture(picture: NDArray[np.float32], side: int, framing: Framing) -> NDArray[np.float32]:
    """float32 [3, h, w] -> [3, side, side], squashed: nothing at the edges is lost."""
    return resize(picture, (side, side), antialias=framing.antialias)


def crop_masked(
    picture: NDArray[np.float32], mask: NDArray[np.bool_], side: int, framing: Framing
) -> NDArray[np.float32]:
    """One mask alone on the background colour, squashed to a square.

    Args:
        picture: normalised float32 [3, H, W] in the mask's frame.
        mask: bool [H, W], not empty.

    Returns:
        float32 [3, side, side]. Cropping before replacing the ground gives the same pixels as the
        authors' order and touches fewer.
    """
    box = compute_box(mask) if framing.box_rule == "tight" else compute_authors_box(mask)
    x1, y1, x2, y2 = box
    ground = _to_array(framing.background)[:, None, None]
    alone = np.where(mask[y1:y2, x1:x2], picture[:, y1:y2, x1:x2], ground)
    return resize(alone, (side, side), antialias=framing.antialias)


def make_patch_grid(mask: NDArray[np.bool_], side: int, framing: Framing) -> NDArray[np.float32]:
    """bool [H, W] -> float32 [side, side] in [0, 1]: what each patch is multiplied by."""
    grid = resize(mask, (side, side), antialias=framing.grid_antialias)
    return np.where(grid < framing.grid_floor * grid.max(), np.float32(0), grid)


def squash_image(pixels: NDArray[np.uint8], side: int, *, mean: Colour, std: Colour) -> NDArray[np.float32]:
    """uint8 [H, W, 3] -> float32 [3, side, side], normalised: Pillow's bicubic, whatever the shape was."""
    small = np.asarray(Pillow.fromarray(pixels).resize((side, side), Pillow.Resampling.BICUBIC))
    return _scale_pixels(small, mean, std)
