import pytest

from ris.core import rle
from ris.datasets.entry import WITHOUT_MASK, Defect
from ris.datasets.phrasecut import read_phrasecut, scan_phrasecut
from ris.errors import DatasetError
from tests.builders.masks import rectangle
from tests.builders.phrasecut import SIZE, task, write


def test_all_polygons_of_all_instances_are_one_mask(tmp_path):
    write(
        tmp_path,
        [task([[[[2, 1], [7, 1], [7, 8], [2, 8.7]]], [[[12, 3], [15, 3], [15, 5], [12, 5]], [[0, 0]]]])],
    )

    (entry,) = read_phrasecut(tmp_path)

    wanted = rectangle(SIZE, 2, 1, 8, 9) | rectangle(SIZE, 12, 3, 16, 6)
    assert (rle.decode_rle(entry.mask) == wanted).all()
    assert (entry.expression, entry.size, entry.split, entry.image) == (
        "red box",
        SIZE,
        "val",
        "http://x/3.jpg",
    )


def test_a_task_of_an_image_that_is_not_listed_is_named(tmp_path):
    write(tmp_path, [task([], image_id=9)])

    with pytest.raises(DatasetError, match="task '3__1' of refer_val.json: .* has no image with its id"):
        list(read_phrasecut(tmp_path))


def test_a_folder_without_tasks_says_so(tmp_path):
    (tmp_path / "image_data_split3000.json").write_text("[]")

    with pytest.raises(DatasetError, match="has no refer_<split>.json"):
        list(read_phrasecut(tmp_path))


@pytest.mark.parametrize(
    "polygons", [None, 7, [[["x"]]], [[[[1, None], [2, 2], [3, 1]]]], [[[[1e12, 1], [2, 2]]]]]
)
def test_a_task_whose_polygons_cannot_be_drawn_keeps_its_words(tmp_path, polygons):
    write(tmp_path, [task(polygons), task([[[[1, 1], [5, 5], [1, 5]]]], task_id="3__2")])

    defect, bad, good = scan_phrasecut(tmp_path)

    assert isinstance(defect, Defect)
    assert (defect.what, defect.outcome) == ("task '3__1' of refer_val.json", WITHOUT_MASK)
    assert (bad.mask, bad.has_referent) == (None, True)
    assert good.mask.area_px > 0


def test_the_list_of_images_has_either_of_its_two_names(tmp_path):
    write(tmp_path, [task([[[[1, 1], [5, 5], [1, 5]]]])])
    (tmp_path / "image_data_split3000.json").rename(tmp_path / "image_data_split.json")

    assert [entry.expression for entry in read_phrasecut(tmp_path)] == ["red box"]
