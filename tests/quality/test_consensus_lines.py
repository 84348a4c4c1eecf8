import json

from ris.core.rle import decode_rle, from_string
from ris.quality.comparing import compare_answers, find_consensus
from ris.quality.consensus_lines import to_consensus_line
from tests.builders.answers import answer_group, paint


def write_line(*answers):
    compared = compare_answers(answer_group(*answers))
    return json.loads(json.dumps(to_consensus_line(compared, find_consensus(compared))))


def test_a_line_holds_the_masks_and_who_is_in_the_consensus():
    line = write_line(paint(0, 4), paint(0, 4), paint(0, 5), None)

    assert line["annotators"] == [1, 2, 3, 4]
    assert (line["consensus"], line["in_consensus"]) == ("mask", [1, 2, 3])
    for way in ("majority", "staple"):
        mask = decode_rle(from_string(line[way]["counts"], tuple(line[way]["size"])))
        assert mask.tolist() == paint(0, 4).tolist()


def test_no_referent_and_no_consensus_have_no_mask():
    absent, open_question = write_line(None, None), write_line(paint(0, 4), None)

    assert (absent["consensus"], absent["in_consensus"], absent["majority"]) == ("no referent", [1, 2], None)
    assert (open_question["consensus"], open_question["in_consensus"]) == ("none", [])
