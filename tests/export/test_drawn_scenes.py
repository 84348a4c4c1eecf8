import numpy as np
import pytest

from ris.core import rle
from ris.datasets.benchmark import read_benchmark
from ris.errors import DatasetError
from ris.export.drawn_scenes import DrawnScene, write_drawn_scenes
from tests.builders.masks import rectangle

LEFT, RIGHT = (rle.encode_rle(rectangle((4, 8), x, 0, x + 4, 4)) for x in (0, 4))


def scene(shade, *referents):
    return DrawnScene(np.full((4, 8, 3), shade, np.uint8), referents)


def test_every_expression_comes_back_with_its_mask_and_its_image(tmp_path):
    scenes = [scene(1, ("Left, please!", LEFT), ("the right", RIGHT)), scene(2), scene(3, ("left", LEFT))]

    count = write_drawn_scenes(scenes, tmp_path / "drawn")

    found = read_benchmark(tmp_path / "drawn")
    assert count == 3
    assert (found.name, found.split_by, found.splits) == ("drawn", "ris", ("val",))
    assert [(e.expression, e.mask) for e in found.entries] == [
        ("Left, please!", LEFT), ("the right", RIGHT), ("left", LEFT),
    ]  # fmt: skip
    images = sorted({e.image for e in found.entries})
    assert sorted(path.name for path in (tmp_path / "drawn" / "images").iterdir()) == images
    assert [name.rpartition("-")[0] for name in images] == ["scene-00000", "scene-00002"]


def test_the_same_scenes_give_the_same_files(tmp_path):
    for name in ("one", "two"):
        write_drawn_scenes([scene(1, ("left", LEFT))], tmp_path / name)

    files = [
        {p.name: p.read_bytes() for p in (tmp_path / n).rglob("*.*") if p.is_file()} for n in ("one", "two")
    ]
    assert files[0] == files[1]
    assert len(files[0]) == 4


def test_a_folder_with_files_is_left_as_it_is(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(DatasetError, match="is not empty"):
        write_drawn_scenes([], tmp_path)
