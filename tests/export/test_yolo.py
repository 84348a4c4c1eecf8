import json

import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw

from ris.core import rle
from ris.core.types import Verdict
from ris.export.yolo import _make_lines, write_yolo
from ris.labelstudio.masks.polygon import rasterise_polygons, trace_outlines
from tests.builders.decisions import ALL, decision, make_holed_mask
from tests.builders.exported import collect_omissions, make_samples
from tests.builders.masks import rectangle

SIZE = (40, 60)


def written(folder, found):
    kept, _ = make_samples(found)
    omissions = collect_omissions(lambda omit: write_yolo(kept, folder, omit))
    return json.loads((folder / "expressions.json").read_text()), omissions


def drawn(folder, file, size):
    """The polygons of a label file, as another program would draw them."""
    canvas = Image.new("1", (size[1], size[0]))
    for line in (folder / file).read_text().splitlines():
        values = np.array(line.split()[1:], float).reshape(-1, 2) * [size[1], size[0]] - 0.5
        ImageDraw.Draw(canvas).polygon([tuple(p) for p in values], fill=1)
    return np.asarray(canvas)


def test_a_plain_mask_comes_back_nearly_whole(tmp_path):
    mask = rectangle(SIZE, 10, 5, 40, 30)

    (entry,), _ = written(tmp_path, [decision(Verdict.ACCEPTED, mask)])

    back = drawn(tmp_path, entry["file"], SIZE)
    assert (back & mask).sum() / (back | mask).sum() > 0.9
    assert entry["iou_with_mask"] == 1.0


def test_what_polygons_lose_is_measured(tmp_path):
    ring = rectangle(SIZE, 10, 5, 40, 30) & ~rectangle(SIZE, 15, 10, 35, 25)

    (entry,), _ = written(tmp_path, [decision(Verdict.ACCEPTED, ring)])

    assert entry["iou_with_mask"] == pytest.approx(ring.sum() / (30 * 25), abs=0.01)


def test_the_loss_is_measured_on_the_coordinates_as_they_are_written(tmp_path):
    mask = np.random.default_rng(4).random((3, 3)) > 0.5  # rounding moves an edge across a pixel's centre

    (entry,), _ = written(tmp_path, [decision(Verdict.ACCEPTED, mask)])

    lines = (tmp_path / entry["file"]).read_text().splitlines()
    polygons = [(np.array(line.split()[1:], float).reshape(-1, 2) * 100).tolist() for line in lines]
    back = rle.decode_rle(rasterise_polygons(polygons, mask.shape))
    assert entry["iou_with_mask"] == round((back & mask).sum() / (back | mask).sum(), 4)


def test_every_expression_is_a_class_and_what_has_no_mask_is_left_out(tmp_path):
    entries, omissions = written(tmp_path, ALL)

    names = (tmp_path / "data.yaml").read_text()
    assert '0: "左のカップ"' in names
    assert "train: images/train" in names
    assert {e["class"] for e in entries} == {0}
    assert [o.reason for o in omissions] == ["YOLO has no place for an expression without a referent"]


def test_every_point_lies_in_the_image_and_every_line_has_three():
    """Readers refuse coordinates above 1, and take four numbers for a box."""
    for mask in (np.ones((3, 5), np.bool_), np.eye(7, dtype=np.bool_), rectangle((9, 9), 8, 0, 9, 1)):
        for line in _make_lines(0, trace_outlines(rle.encode_rle(mask))):
            values = [float(value) for value in line.split()[1:]]
            assert len(values) >= 6
            assert min(values) >= 0 and max(values) <= 1


def test_the_names_come_back_whatever_the_words(tmp_path):
    words = ['say "left"', "a\u2028b", "no: #1", "🦉", "yes", "\x85", "12"]
    found = [decision(Verdict.ACCEPTED, make_holed_mask(), i, expression=w) for i, w in enumerate(words)]
    written(tmp_path, found)

    told = yaml.safe_load((tmp_path / "data.yaml").read_text(encoding="utf-8"))

    assert list(told["names"].values()) == words
    assert "path" not in told


def test_two_images_of_one_name_are_two_files(tmp_path):
    from dataclasses import replace

    one = decision(Verdict.ACCEPTED, rectangle(SIZE, 1, 1, 9, 9), 1, image="/data/upload/1/a.png")
    two = replace(decision(Verdict.ACCEPTED, rectangle(SIZE, 1, 1, 9, 9), 2, image="/x/a.png"),
                  image_digest="cd" * 32)  # fmt: skip

    entries, _ = written(tmp_path, [one, two])

    assert len({e["file"] for e in entries}) == 2
