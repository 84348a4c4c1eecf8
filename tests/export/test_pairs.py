import json

import numpy as np
from pycocotools import mask as coco

from ris.core.types import Verdict
from ris.export.pairs import write_pairs
from tests.builders.decisions import ALL, decision, make_holed_mask
from tests.builders.exported import collect_omissions, make_samples


def written(tmp_path, found):
    kept, _ = make_samples(found)
    omissions = collect_omissions(lambda omit: write_pairs(kept, tmp_path, omit))
    return [json.loads(line) for line in (tmp_path / "preferences.jsonl").read_text().splitlines()], omissions


def test_what_was_meant_stands_beside_what_was_rejected(tmp_path):
    lines, omissions = written(tmp_path, ALL)

    edited = lines[1]
    assert (coco.decode(edited["chosen"]) == np.eye(9, 14)).all()
    assert (coco.decode(edited["rejected"][0]["mask"]) == make_holed_mask()).all()
    assert edited["rejected"][0]["methods"] == {"global-local": {"score": 21.5, "rank": 0}}
    assert [one.reason for one in omissions] == ["no alternative was rejected"]  # the accepted one


def test_where_nothing_was_meant_everything_was_rejected(tmp_path):
    (line,), _ = written(tmp_path, [ALL[1]])

    assert line["chosen"] is None
    assert len(line["rejected"]) == 1


def test_an_alternative_that_is_nearly_the_answer_was_not_rejected(tmp_path):
    almost = make_holed_mask()
    almost[1, 2] = False

    lines, omissions = written(tmp_path, [decision(Verdict.EDITED, almost)])

    assert (lines, len(omissions)) == ([], 1)
