"""Exports are read by `datasets`, Hugging Face's own library."""

import datasets
import numpy as np
import pytest
from PIL import Image

from ris.export.huggingface import write_huggingface
from tests.builders.decisions import ALL, make_holed_mask
from tests.builders.exported import collect_omissions, make_samples
from tests.builders.pictures import PIXELS, file


@pytest.fixture
def loaded(tmp_path):
    kept, _ = make_samples(ALL, shares={"test": 0.5}, seed=1)
    pixels = np.zeros((9, 14, 3), np.uint8)
    pixels[2, 3] = 255
    read = lambda image: file("PNG", pixels=pixels)  # noqa: E731
    assert collect_omissions(lambda omit: write_huggingface(kept, tmp_path / "out", read, omit)) == []
    datasets.disable_progress_bars()
    return kept, datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))


def test_the_folder_loads_with_its_splits_images_and_masks(loaded):
    kept, found = loaded
    rows = [row for split in found.values() for row in split]

    assert {name: part.num_rows for name, part in found.items()} == {
        split: sum(s.split == split for s in kept) for split in {s.split for s in kept}
    }
    assert all(isinstance(row["image"], Image.Image) and row["image"].size == (14, 9) for row in rows)
    accepted = next(row for row in rows if row["verdict"] == "accepted")
    assert ((np.asarray(accepted["mask"]) > 0) == make_holed_mask()).all()
    assert accepted["expression"] == "左のカップ"


def test_what_is_not_there_has_no_mask_and_says_so(loaded):
    _, found = loaded

    none = [row for split in found.values() for row in split if not row["has_referent"]]
    assert [(row["mask"], row["verdict"]) for row in none] == [(None, "no referent")]


def test_a_turned_photograph_lies_as_its_mask_does(tmp_path):
    kept, _ = make_samples(ALL[:1])
    photograph = file("JPEG", 6, np.zeros((14, 9, 3), np.uint8))
    collect_omissions(lambda omit: write_huggingface(kept, tmp_path, lambda image: photograph, omit))

    row = datasets.Dataset.from_parquet(
        str(tmp_path / "data" / "train-00000-of-00001.parquet"), cache_dir=str(tmp_path / "cache")
    )[0]

    assert row["image"].size == row["mask"].size == (14, 9)
    assert PIXELS.shape == (6, 9, 3)
