import pytest
from PIL import Image as Pillow

from ris.errors import ImageUnreachable, ImageUnreadable
from ris.evaluation.refcoco.images import load_image


def test_an_image_is_found_by_its_name_or_the_last_part_of_it(tmp_path):
    Pillow.new("RGB", (6, 4), "red").save(tmp_path / "3.png")

    for name in ("3.png", "https://host/VG_100K/3.png", "/train2014/3.png"):
        image = load_image(tmp_path, name, max_pixels=1000)
        assert (image.size, image.pixels[0, 0].tolist()) == ((4, 6), [255, 0, 0])


def test_what_is_not_there_or_no_picture_is_told_apart(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")

    with pytest.raises(ImageUnreachable, match="there is no such image in"):
        load_image(tmp_path, "b.jpg", max_pixels=1000)
    with pytest.raises(ImageUnreadable, match="no picture"):
        load_image(tmp_path, "a.jpg", max_pixels=1000)
