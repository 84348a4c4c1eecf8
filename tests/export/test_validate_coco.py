"""Changes in a COCO file are found."""

import json

import pytest

from ris.export.formats import EXPORT_FORMATS
from ris.export.validate_coco import validate_coco
from tests.builders.decisions import material


@pytest.fixture
def written(tmp_path):
    made = material()
    EXPORT_FORMATS["coco"].write(made, tmp_path)
    return made, tmp_path / "coco.json"


def problems(written, change):
    made, path = written
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return list(validate_coco("coco.json", made, path.parent))


def test_a_file_as_it_was_written_agrees(written):
    assert problems(written, lambda content: None) == []


def test_another_file_name_than_that_of_the_written_image_is_found(written):
    (found,) = problems(written, lambda content: content["images"][0].update(file_name="x.png"))

    assert found.startswith("image ") and "x.png" in found


def test_one_picture_as_two_images_is_found(written):
    (found,) = problems(written, lambda content: content["images"].append({**content["images"][0], "id": 99}))

    assert found == "11 images in the file have only 10 different digests"


def test_an_annotation_on_another_image_is_found(written):
    (found,) = problems(written, lambda content: content["annotations"][0].update(image_id=2))

    assert found == "annotation 1: its image is not the one on record"
