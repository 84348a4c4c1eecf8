from pathlib import Path

import numpy as np
import pytest
import skimage
import sklearn
from PIL import Image

from ris.core.photographs import are_photographs, is_photograph, measure_texture
from ris.tinyworld.samples import make_samples

# Photographs that come with libraries that we need anyway.
LIBRARY = Path(skimage.__file__).parent / "data"
OTHERS = Path(sklearn.__file__).parent / "datasets" / "images"
PHOTOGRAPHS = [
    *(LIBRARY / name for name in ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")),
    OTHERS / "china.jpg", OTHERS / "flower.jpg",
]  # fmt: skip


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize("path", PHOTOGRAPHS, ids=lambda path: path.stem)
def test_a_photograph_is_one(path):
    assert is_photograph(read(path))


def test_drawn_scenes_are_none():
    drawn = [sample.pixels for sample in make_samples(30)]

    assert sum(map(is_photograph, drawn)) <= 3
    assert not are_photographs(drawn)


def test_most_of_the_pictures_decide():
    photographs, (drawn,) = [read(path) for path in PHOTOGRAPHS[:2]], [np.zeros((9, 9, 3), np.uint8)]

    assert are_photographs([*photographs, drawn])
    assert not are_photographs([photographs[0], drawn])
    assert not are_photographs([])


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (3, 3)])
def test_a_picture_of_any_shape_has_a_texture(shape):
    assert measure_texture(np.full((*shape, 3), 90, np.uint8)) == 0


def test_texture_is_that_of_the_picture_and_not_of_its_size():
    coffee = read(LIBRARY / "coffee.png")
    large = coffee.repeat(2, 0).repeat(2, 1)

    assert measure_texture(large) == pytest.approx(measure_texture(coffee), rel=0.05)
