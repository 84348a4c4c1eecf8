import json

import numpy as np
import pytest
from pycocotools import mask as coco

from backend.core import rle
from backend.datasets.tables import read_table
from backend.errors import DatasetError

MASK = np.eye(4, 6, dtype=np.bool_)
CODE = coco.encode(np.asfortranarray(MASK.astype(np.uint8)))


def entries(path):
    return [(e.image, e.expression, e.split) for e in read_table(path)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'image,expression\nx.png,the left mug\ny/z.jpg,"a cup, red"\n'),
        ("a.tsv", "file_name\tcaption\nx.png\tthe left mug\ny/z.jpg\ta cup, red\n"),
        (
            "a.jsonl",
            '{"img": "x.png", "text": "the left mug"}\n\n{"path": "y/z.jpg", "sent": "a cup, red"}\n',
        ),
        ("a.txt", "x.png\tthe left mug\ny/z.jpg\ta cup, red\n"),
        ("bom.csv", '\ufeffimage,expression\nx.png,the left mug\ny/z.jpg,"a cup, red"\n'),
    ],
)
def test_images_with_words_are_read_from_every_kind_of_table(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert entries(tmp_path / name) == [
        ("x.png", "the left mug", "train"),
        ("y/z.jpg", "a cup, red", "train"),
    ]


def test_a_folder_is_read_by_its_captions_file(tmp_path):
    (tmp_path / "captions.txt").write_text("x.png\tthe left mug\n")

    assert entries(tmp_path) == [("x.png", "the left mug", "train")]


def test_json_lines_can_hold_masks_splits_and_that_there_is_no_such_thing(tmp_path):
    rows = [
        {"image": "x", "expression": "a", "split": "val",
         "mask": {"size": [4, 6], "counts": CODE["counts"].decode()}},
        {"image": "x", "expression": "b", "verdict": "no referent", "mask": None},
    ]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    known, none = read_table(tmp_path / "a.jsonl")

    assert (rle.decode(known.mask) == MASK).all()
    assert (known.split, known.size, known.has_referent) == ("val", (4, 6), True)
    assert (none.mask, none.has_referent) == (None, False)


@pytest.mark.parametrize(
    ("name", "text", "pattern"),
    [
        ("a.csv", "image,words\nx.png,mug\n", "a.csv, row 2 has none of expression, .*; it has image, words"),
        ("a.csv", "image,expression\n,mug\n", "row 2 has none of image"),
        ("a.jsonl", '{"image": "x"}\n', "row 1 has none of expression"),
        ("a.jsonl", "[1]\n", "row 1 must be an object"),
        ("a.jsonl", "{\n", "cannot be read"),
        ("a.jsonl", '{"image": "x", "text": "a", "mask": {"size": [1]}}', 'its mask needs "size"'),
        ("a.xml", "x", "must be .csv, .tsv, .jsonl or .txt"),
    ],
)
def test_rows_that_lack_something_are_named(tmp_path, name, text, pattern):
    (tmp_path / name).write_text(text)

    with pytest.raises(DatasetError, match=pattern):
        list(read_table(tmp_path / name))


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(DatasetError, match="cannot be read: FileNotFoundError"):
        list(read_table(tmp_path / "a.csv"))
    with pytest.raises(DatasetError, match="has no captions file; it can be captions.csv"):
        list(read_table(tmp_path))
