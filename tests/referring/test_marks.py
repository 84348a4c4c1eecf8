import io

import numpy as np
import pytest
from PIL import Image as Pillow

from ris.evaluation.tinyworld.drawn_model import find_marks
from ris.referring.marks import MARK_COLOURS, draw_marks
from tests.builders.masks import rectangle

SIZE = (60, 80)
CORNERS = [(4 + 25 * (i % 3), 4 + 28 * (i // 3)) for i in range(6)]
MASKS = [rectangle(SIZE, x, y, x + 20, y + 22) for x, y in CORNERS]


def test_every_mask_is_outlined_in_the_colour_of_its_number_also_in_a_compressed_file():
    file = io.BytesIO()
    drawn = draw_marks(np.full((*SIZE, 3), 120, np.uint8), MASKS, (336, 448))
    Pillow.fromarray(drawn).save(file, "JPEG", quality=90)

    found = find_marks(np.asarray(Pillow.open(file)), np.full_like(drawn, 120))

    assert list(found) == [1, 2, 3, 4, 5, 6]
    for number, box in found.items():
        columns, rows = 80 * np.array(box[::2]), 60 * np.array(box[1::2])
        x, y = CORNERS[number - 1]
        assert columns == pytest.approx([x, x + 20], abs=1.5)
        assert rows == pytest.approx([y, y + 22], abs=1.5)


def test_the_picture_stays_as_it_is_elsewhere():
    pixels = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)

    drawn = draw_marks(pixels, MASKS[:1], SIZE)

    assert (drawn[35:] == pixels[35:]).all()
    assert drawn.shape == (*SIZE, 3)
    assert len(set(MARK_COLOURS)) == 6


LARGE = (3000, 4000)


@pytest.mark.parametrize(
    "mask", [rectangle(LARGE, 7, 9, 8, 10), np.ones(LARGE, np.bool_)], ids=["pixel", "all"]
)
def test_a_mask_of_a_pixel_or_of_everything_has_a_number_too(mask):
    drawn = draw_marks(np.zeros((300, 400, 3), np.uint8), [mask], (336, 448))

    assert (np.abs(drawn.astype(int) - MARK_COLOURS[0]).max(-1) < 60).sum() > 10
