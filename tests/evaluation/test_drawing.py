import numpy as np
import pytest
from PIL import Image as Pillow

from ris.core import rle
from ris.core.types import Image, Suggestion
from ris.evaluation.drawing import (
    MASK_COLOURS,
    MAX_ENLARGED_PX,
    Pane,
    draw_alternatives,
    draw_contact_sheet,
    draw_heat,
    draw_masks,
)
from tests.builders.masks import rectangle

SIZE = (480, 640)
LEFT, RIGHT = rectangle(SIZE, 20, 20, 200, 200), rectangle(SIZE, 400, 100, 620, 460)
GREY = np.full((*SIZE, 3), 128, np.uint8)


def test_each_alternative_has_its_colour_on_its_rim_and_the_ground_is_untouched():
    drawn = np.asarray(draw_masks(GREY, [rle.encode_rle(LEFT), rle.encode_rle(RIGHT)]))

    assert tuple(drawn[20, 60]) == MASK_COLOURS[0]
    assert tuple(drawn[100, 450]) == MASK_COLOURS[1]
    assert tuple(drawn[470, 10]) == (128, 128, 128)


def test_the_best_alternative_lies_on_top():
    drawn = np.asarray(draw_masks(GREY, [rle.encode_rle(LEFT), rle.encode_rle(LEFT)]))

    assert tuple(drawn[20, 60]) == MASK_COLOURS[0]


def test_small_pictures_are_enlarged():
    assert draw_masks(GREY[:24, :32], []).size == (640, 480)


def test_the_picture_is_written(tmp_path):
    suggestion = Suggestion(0, 0.5, rle.encode_rle(LEFT), (20, 20, 200, 200), {}, "v")

    draw_alternatives(Image.from_pixels(GREY), [suggestion], tmp_path / "new" / "a.png")

    assert Pillow.open(tmp_path / "new" / "a.png").size == (640, 480)


def test_a_sheet_shows_every_pane(tmp_path):
    panes = [Pane(GREY, [rle.encode_rle(LEFT)], rle.encode_rle(RIGHT), ["left", "edited"]) for _ in range(4)]

    draw_contact_sheet(panes, tmp_path / "sheet.png", columns=3)

    sheet = np.asarray(Pillow.open(tmp_path / "sheet.png"))
    assert (sheet == 128).all(-1).sum() > 4 * 2 * 10_000


def test_masks_and_heat_of_an_image_that_was_shrunk_are_drawn_over_its_pixels(tmp_path):
    image = Image(GREY, "ab" * 32, full_size=(960, 1280))
    mask = rle.enlarge_rle(rle.encode_rle(LEFT), image.size)
    suggestion = Suggestion(0, 0.5, mask, (40, 40, 400, 400), {}, "v")

    draw_alternatives(image, [suggestion], tmp_path / "a.png")
    draw_heat(image, np.zeros((4, 4), np.uint8), [suggestion], tmp_path / "h.png", caption="")

    drawn = np.asarray(Pillow.open(tmp_path / "a.png"))
    assert (drawn == np.asarray(draw_masks(GREY, [rle.encode_rle(LEFT)]))).all()
    assert Pillow.open(tmp_path / "h.png").width == 640


def test_a_heat_map_shows_every_alternative_a_legend_and_its_caption(tmp_path):
    heat = np.zeros((2, 2), np.uint8)
    heat[:, 1] = 255
    both = [Suggestion(i, 0.5, rle.encode_rle(m), (0, 0, 1, 1), {}, "v") for i, m in enumerate((LEFT, RIGHT))]

    draw_heat(Image.from_pixels(GREY), heat, both, tmp_path / "h.png", caption="where lgd looks " * 9)

    drawn = np.asarray(Pillow.open(tmp_path / "h.png"))
    assert drawn.shape[0] > 480 + 40  # the caption and the scale stand below
    assert tuple(drawn[20, 60]) == MASK_COLOURS[0]
    assert tuple(drawn[100, 450]) == MASK_COLOURS[1]
    assert drawn[470, 630, 0] > drawn[470, 5, 0] + 80  # hot on the right
    assert (drawn[480:] != 255).any()


@pytest.mark.parametrize("size", [(1, 65_535), (20_000, 3), (1, 1)])
def test_a_picture_of_one_row_is_not_enlarged_without_end(size):
    mask = rle.encode_rle(np.ones(size, np.bool_))

    picture = draw_masks(np.zeros((*size, 3), np.uint8), [mask])

    assert max(picture.size) <= max(*size, MAX_ENLARGED_PX)
