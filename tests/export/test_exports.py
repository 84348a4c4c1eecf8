import json
from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as coco

from ris.core.types import Verdict
from ris.export.coco import write_coco
from ris.export.jsonl import to_json_line, write_jsonl
from tests.builders.decisions import ALL, decision, digest_of, make_holed_mask
from tests.builders.exported import collect_omissions, make_image_book


def write(decisions, path, **options):
    images = make_image_book(decisions)
    return collect_omissions(lambda omit: write_coco(decisions, path, images=images, omit=omit, **options))


@pytest.fixture
def as_coco(tmp_path):
    """Returns the content of the file."""

    def as_coco(decisions):
        write(decisions, tmp_path / "coco.json")
        return json.loads((tmp_path / "coco.json").read_text())

    return as_coco


def test_coco_gives_back_every_pixel_of_holes_and_parts(as_coco):
    written = as_coco(ALL)["annotations"]

    assert (coco.decode(written[0]["segmentation"]) == make_holed_mask()).all()
    assert (coco.decode(written[1]["segmentation"]) == np.eye(9, 14)).all()
    assert (written[0]["area"], written[0]["bbox"]) == (30.0, [2.0, 1.0, 12.0, 8.0])


def test_coco_counts_in_equal_counts_out(as_coco):
    content = as_coco(ALL)

    assert len(content["annotations"]) + len(content["info"]["without_mask"]) == len(ALL)
    assert [entry["verdict"] for entry in content["info"]["without_mask"]] == ["no referent", "skipped"]
    assert [(image["file_name"], image["image_url"]) for image in content["images"]] == [
        (f"a-{digest_of('/data/upload/1/a.png')[:16]}.png", "/data/upload/1/a.png"),
        (f"b-{digest_of('/data/upload/1/b.png')[:16]}.png", "/data/upload/1/b.png"),
    ]


def test_one_picture_is_one_image_whatever_its_addresses(as_coco):
    """One file uploaded under two names, and the same image in another project."""
    same = {"image_digest": "cd" * 32, "image_size": (9, 14)}
    one = replace(decision(Verdict.ACCEPTED, make_holed_mask(), 1, "/data/upload/1/a.png"), **same)
    two = replace(decision(Verdict.SKIPPED, make_holed_mask(), 2, "/data/upload/1/copy of a.png"), **same)
    other = decision(Verdict.ACCEPTED, make_holed_mask(), 3, "s3://shop/b.png")

    content = as_coco([one, two, other])

    assert [image["id"] for image in content["images"]] == [1, 2]
    assert content["info"]["without_mask"][0]["image_id"] == 1
    assert [a["image_id"] for a in content["annotations"]] == [1, 2]


def test_coco_leaves_out_whose_image_is_not_known_with_the_reason(tmp_path):
    unknown = replace(ALL[0], image_digest=None, image_size=None)
    small = decision(Verdict.EDITED, np.ones((1, 1), np.bool_), 9)
    small = replace(small, image_size=(9, 14))

    omissions = write(
        [unknown, small, ALL[3]], tmp_path / "coco.json", unseen=lambda task: "Label Studio answered 404"
    )

    assert [one.reason for one in omissions] == [
        "its image was never seen here: Label Studio answered 404",
        "its mask is 1 x 1, its image 14 x 9",
    ]
    assert len(json.loads((tmp_path / "coco.json").read_text())["annotations"]) == 1


def test_a_skipped_tasks_mask_is_not_exported():
    assert to_json_line(ALL[2])["mask"] is None


def test_json_lines_hold_the_alternatives_and_the_final_mask():
    line = to_json_line(ALL[3])

    assert (coco.decode(line["mask"]) == np.eye(9, 14)).all()
    assert (coco.decode(line["alternatives"][0]["mask"]) == make_holed_mask()).all()
    assert line["alternatives"][0]["methods"] == {"global-local": {"score": 21.5, "rank": 0}}
    assert line["expression"] == "左のカップ"


def test_exporting_twice_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write(ALL, tmp_path / name / "coco.json")
        write_jsonl(ALL, tmp_path / name / "decisions.jsonl")

    for file in ("coco.json", "decisions.jsonl"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_json_lines_have_one_line_a_decision(tmp_path):
    write_jsonl(ALL, tmp_path / "decisions.jsonl")

    lines = (tmp_path / "decisions.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["annotation_id"] for line in lines] == [1, 2, 3, 4]


def test_no_decisions_make_valid_files(tmp_path):
    write([], tmp_path / "coco.json")
    write_jsonl([], tmp_path / "decisions.jsonl")

    assert json.loads((tmp_path / "coco.json").read_text())["annotations"] == []
    assert (tmp_path / "decisions.jsonl").read_text() == ""
