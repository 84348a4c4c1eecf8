import json

import numpy as np
import pytest
from pycocotools import mask as coco

from ris.core import rle
from ris.datasets.delimited import EXPRESSION_KEYS
from ris.datasets.entry import LEFT_OUT, WITHOUT_MASK, Defect, Entry
from ris.datasets.tables import read_image_table, scan_image_table
from ris.errors import DatasetError

MASK = np.eye(4, 6, dtype=np.bool_)
CODE = coco.encode(np.asfortranarray(MASK.astype(np.uint8)))


def entries(path):
    return [(e.image, e.expression, e.split) for e in read_image_table(path)]


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

    known, none = read_image_table(tmp_path / "a.jsonl")

    assert (rle.decode_rle(known.mask) == MASK).all()
    assert (known.split, known.size, known.has_referent) == ("val", (4, 6), True)
    assert (none.mask, none.has_referent) == (None, False)


@pytest.mark.parametrize(
    ("name", "text", "pattern"),
    [
        ("a.csv", "image,words\nx.png,mug\n", "a.csv needs a line of headings .*it begins with image, words"),
        ("a.csv", "image,expression\n,mug\n", "a.csv, row 2: its image has no name"),
        ("a.csv", "image,expression\nx.png,\n", "a.csv, row 2: its expression is empty"),
        ("a.jsonl", '{"image": "x"}\n', "a.jsonl, object 1: it has none of expression"),
        ("a.jsonl", "[1]\n", "object 1: it must be an object"),
        ("a.jsonl", "{\n", "a.jsonl is not JSON"),
        ("a.jsonl", '{"image": "x", "text": "a", "mask": {"size": [1]}}', "is not .height, width."),
        ("a.xml", "x", "a.xml needs a line of headings"),
        ("a.csv", "", "it begins with nothing"),
    ],
)
def test_rows_that_lack_something_are_named(tmp_path, name, text, pattern):
    (tmp_path / name).write_text(text)

    with pytest.raises(DatasetError, match=pattern):
        list(read_image_table(tmp_path / name))


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(DatasetError, match="cannot be read: FileNotFoundError"):
        list(read_image_table(tmp_path / "a.csv"))
    with pytest.raises(DatasetError, match="has no captions file; it can be captions.csv"):
        list(read_image_table(tmp_path))


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.txt", "a"])
def test_the_content_decides_what_a_file_is_and_not_its_name(tmp_path, name):
    objects = [{"image": "x.png", "expression": "the mug"}]
    for text in (
        json.dumps(objects),
        json.dumps(objects, indent=1),
        json.dumps({"tasks": objects}),
        json.dumps(objects[0]) + "\n" + "\n",
        "image,expression\nx.png,the mug\n",
        "image\texpression\nx.png\tthe mug\n",
        "x.png\tthe mug\n",
    ):
        (tmp_path / name).write_text(text)

        assert entries(tmp_path / name) == [("x.png", "the mug", "train")]


def test_one_bad_row_leaves_the_others(tmp_path):
    good = {"image": "x.png", "expression": "the mug"}
    rows = [json.dumps(good), '{"image": ', json.dumps([1]), json.dumps(good | {"mask": {"counts": "!"}})]
    (tmp_path / "a.jsonl").write_text("\n".join([*rows, json.dumps(good), json.dumps(good)]))

    read = list(scan_image_table(tmp_path / "a.jsonl"))

    assert [(one.what, one.outcome) for one in read if isinstance(one, Defect)] == [
        ("a.jsonl, row 2", LEFT_OUT),
        ("a.jsonl, row 3", LEFT_OUT),
        ("a.jsonl, row 4", WITHOUT_MASK),
    ]
    assert sum(isinstance(one, Entry) for one in read) == 4


def test_a_list_that_is_cut_short_is_refused_as_a_whole(tmp_path):
    (tmp_path / "a.json").write_text('[\n{"image": "x", "text": "a"},\n{"image": "y", "text": "b"}\n')

    with pytest.raises(DatasetError, match="a.json is not JSON: .*line 4"):
        list(scan_image_table(tmp_path / "a.json"))


def test_a_coco_file_alone_says_what_to_name(tmp_path):
    (tmp_path / "a.json").write_text('{"images": [], "annotations": []}')

    with pytest.raises(DatasetError, match="is a COCO file, which has no expressions"):
        list(scan_image_table(tmp_path / "a.json"))


def test_lines_end_where_json_says_so(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"image": "x", "text": "a\u2028b\x85c"}\n' * 2, encoding="utf-8")

    assert [e.expression for e in read_image_table(tmp_path / "a.jsonl")] == ["a\u2028b\x85c"] * 2


@pytest.mark.parametrize(("value", "words"), [("7", "7"), ("2.5", "2.5"), ('"7"', "7")])
def test_a_number_is_words(tmp_path, value, words):
    (tmp_path / "a.json").write_text(f'[{{"image": "x", "text": {value}}}]')

    assert [e.expression for e in read_image_table(tmp_path / "a.json")] == [words]


@pytest.mark.parametrize("value", ["null", "NaN", "true", "[]", "{}", '" "', '"\\ud83d"'])
def test_what_are_no_words_is_left_out(tmp_path, value):
    (tmp_path / "a.json").write_text(f'[{{"image": "x", "text": {value}}}]')

    (defect,) = scan_image_table(tmp_path / "a.json")

    assert defect.outcome == LEFT_OUT


def test_a_caption_of_flickr_is_read_by_its_own_headings(tmp_path):
    (tmp_path / "results.csv").write_text(
        "image_name| comment_number| comment\n1.jpg| 0| A dog, a cat .\n2.jpg| 4   A dog runs .\n"
    )

    entry, defect = scan_image_table(tmp_path / "results.csv")

    assert (entry.image, entry.expression) == ("1.jpg", "A dog, a cat .")
    assert (defect.what, defect.reason) == (
        "results.csv, row 3",
        "it has none of " + ", ".join(EXPRESSION_KEYS),
    )


@pytest.mark.parametrize("end", ["", "\t", "\t\t \t"])
def test_a_counted_caption_of_flickr_names_its_picture(tmp_path, end):
    (tmp_path / "a.token").write_text(f"a.png#0\tthe red{end}\nb #2.png#13 \tthe #1\nc#1.png\tthe cup\n")

    assert entries(tmp_path / "a.token") == [
        ("a.png", "the red", "train"),
        ("b #2.png", "the #1", "train"),
        ("c#1.png", "the cup", "train"),
    ]


def test_a_tab_in_the_words_of_a_line_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("a.png\tthe red\tzzz\nb.png\tthe mug\n")

    defect, entry = scan_image_table(tmp_path / "a.txt")

    assert (defect.what, defect.outcome) == ("a.txt, row 1", LEFT_OUT)
    assert defect.reason == "it has more than an image and an expression: the expression contains a tab"
    assert entry.expression == "the mug"


@pytest.mark.parametrize("is_json", [True, False])
def test_an_answer_a_row_is_a_task_once_and_what_is_not_kept_is_told(tmp_path, is_json):
    rows = [
        {"image": "a.png", "expression": "the owl", "id": 57, "annotation_id": 1},
        {"image": "a.png", "expression": "the owl", "id": 57, "annotation_id": 2},
        {"image": "b.png", "expression": "the owl", "id": 57, "annotation_id": 3},
        {"image": "a.png", "expression": "the owl", "id": 58, "annotation_id": 4},
    ]
    lines = [",".join(map(str, row.values())) for row in rows]
    text = json.dumps(rows) if is_json else "\n".join([",".join(rows[0]), *lines])
    (tmp_path / "a").write_text(text)

    read = list(scan_image_table(tmp_path / "a"))

    assert [one.expression for one in read if isinstance(one, Entry)] == ["the owl"] * 2
    assert [(one.outcome, one.reason[:44]) for one in read if isinstance(one, Defect)] == [
        (WITHOUT_MASK, "its answer is not read from JSON-MIN or CSV:"),
        (LEFT_OUT, "an earlier row has the same id, but another "),
        (WITHOUT_MASK, "its answer is not read from JSON-MIN or CSV:"),
    ]
