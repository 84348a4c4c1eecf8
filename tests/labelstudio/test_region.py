from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core import rle
from ris.core.types import Absence, Annotation, MethodScore, Verdict
from ris.core.verdict import judge_annotation
from ris.label_config import read
from ris.labelstudio.choice import select_meant_regions
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.region import (
    format_ordinal,
    get_alternative_id,
    make_note,
    make_region_id,
    to_shown_alternative,
    write_alternatives,
    write_predictions,
    write_refined_mask,
)
from ris.labelstudio.result import read_mask
from tests.builders.alternatives import OFFERS, SIZE, TASK, offer
from tests.builders.masks import rectangle

BRUSH, POLYGON = read_controls(read("tabs_brush.xml")), read_controls(read("tabs_polygon.xml"))
TOYS = "Made by toy networks, for drawn scenes only."


def test_predictions_come_worst_first_and_best_last_under_one_version():
    written = write_predictions(OFFERS, BRUSH, version="tiny-1")

    assert [p["result"][0]["meta"]["rank"] for p in written] == [2, 1, 0]
    assert {p["model_version"] for p in written} == {"tiny-1"}
    assert [p["score"] for p in written] == pytest.approx([0.3, 0.4, 0.5])


def test_no_offers_are_an_empty_list():
    assert write_predictions((), BRUSH, version="tiny-1") == []


def test_a_region_is_what_label_studio_expects():
    region = write_predictions(OFFERS, BRUSH, version="tiny-1")[-1]["result"][0]

    assert (region["from_name"], region["to_name"], region["type"]) == ("mask", "image", "brushlabels")
    assert (region["original_width"], region["original_height"], region["image_rotation"]) == (60, 40, 0)
    assert region["value"]["brushlabels"] == ["Referent"]
    assert region["meta"]["text"] == [f"1st of 3, score 50 %. global-local puts it first. {TOYS}"]
    assert region["meta"]["method"] == "global-local 21.46 #1"
    assert all(isinstance(value, str | int | list) for value in region["meta"].values())


@pytest.mark.parametrize(
    ("ranks", "words"),
    [
        ((0, 0), "1st of 3, score 50 %. 2 of 2 methods put it first: a, b."),
        ((0, 2), "1st of 3, score 50 %. 1 of 2 methods put it first: a (b puts it 3rd)."),
        ((1, 3), "1st of 3, score 50 %. No method puts it first: a puts it 2nd, b puts it 4th."),
        ((), "1st of 3, score 50 %."),
    ],
)
def test_the_note_says_rank_score_and_who_agrees_in_words(ranks, words):
    methods = {name: MethodScore(1.0, rank) for name, rank in zip("ab", ranks, strict=False)}
    said = replace(OFFERS[0], suggestion=replace(OFFERS[0].suggestion, methods=methods, version="base-1"))

    assert make_note(said, 3) == words


@pytest.mark.parametrize("place", [None, 0])
def test_the_note_of_a_mask_of_the_embedded_networks_says_that_they_are_toys(place):
    suggestion = replace(OFFERS[0].suggestion, version="tiny-1a2b3c4d", methods={})
    note = make_note(replace(OFFERS[0], suggestion=suggestion, place=place), 3)

    assert (
        note
        == {
            None: f"1st of 3, score 50 %. {TOYS}",
            0: f"1st of 3. {TOYS}",
        }[place]
    )


def test_ordinals_are_as_people_write_them():
    assert [format_ordinal(i) for i in (0, 1, 2, 3, 10, 11, 12, 20, 21)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd",
    ]  # fmt: skip


def test_region_ids_are_the_same_everywhere_and_differ_for_everything_else():
    asked = ("1.1", 1, "左 mug", "tiny-1", 0)

    assert make_region_id(*asked) == "ris" + make_region_id(*asked)[3:]
    assert make_region_id(*asked) == make_region_id(*asked)
    others = [
        make_region_id(*(*asked[:i], value, *asked[i + 1 :]))
        for i, value in enumerate(("1.2", 2, "mug", "tiny-2", 1))
    ]
    assert len({make_region_id(*asked), *others}) == 6
    assert "#" not in "".join(others)


@pytest.mark.parametrize("controls", [BRUSH, POLYGON], ids=["brush", "polygon"])
def test_what_is_written_reads_back_as_it_is_shown(controls):
    for written, made in zip(write_predictions(OFFERS, controls, version="v"), OFFERS[::-1], strict=True):
        mask, ids = read_mask(written["result"])

        assert mask == to_shown_alternative(made, controls).suggestion.mask
        assert ids == (made.region_id,)


def blobs(seed):
    """A few overlapping ellipses, with holes, parts and single pixels: never empty."""
    rng = np.random.default_rng(seed)
    y, x = np.ogrid[: SIZE[0], : SIZE[1]]
    mask = np.zeros(SIZE, np.bool_)
    for i in range(rng.integers(1, 5)):
        cy, cx, ry, rx = rng.integers(0, SIZE[0]), rng.integers(0, SIZE[1]), *rng.integers(1, 15, 2)
        mask[((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1] = i != 1
    mask[rng.integers(0, SIZE[0]), rng.integers(0, SIZE[1])] = True
    return mask


@given(st.integers(0, 10**6))
def test_an_untouched_polygon_of_any_mask_is_an_acceptance(seed):
    made = offer(0, blobs(seed))
    mask, ids = read_mask(write_predictions((made,), POLYGON, version="v")[0]["result"])
    annotation = Annotation(1, TASK, datetime(2026, 1, 1, tzinfo=UTC), mask, ids)

    correction = judge_annotation(annotation, (to_shown_alternative(made, POLYGON),))

    assert (correction.verdict, correction.rank) == (Verdict.ACCEPTED, 0)


def test_the_parts_of_one_mask_are_polygons_of_one_offer():
    two = offer(0, rectangle(SIZE, 0, 0, 10, 10) | rectangle(SIZE, 30, 20, 50, 35))

    regions = write_predictions((two,), POLYGON, version="v")[0]["result"]

    assert len(regions) == 2
    assert {get_alternative_id(r["id"]) for r in regions} == {two.region_id}
    assert len({r["id"] for r in regions}) == 2


def test_a_polygon_of_a_rectangle_covers_the_rectangle():
    shown = to_shown_alternative(OFFERS[0], POLYGON).suggestion.mask

    assert (rle.decode_rle(shown) == rle.decode_rle(OFFERS[0].suggestion.mask)).mean() > 0.98


def test_a_brush_is_shown_as_it_is():
    assert to_shown_alternative(OFFERS[0], replace(BRUSH, label="other")) is OFFERS[0]


PICK = read_controls(read("pick_brush.xml"))


def test_pick_is_one_prediction_with_a_region_a_rank_under_its_own_label_best_on_top():
    (written,) = write_predictions(OFFERS, PICK, version="tiny-1")

    regions = written["result"]
    assert [r["value"]["brushlabels"] for r in regions] == [["1st"], ["2nd"], ["3rd"]]
    assert [r["meta"]["rank"] for r in regions] == [0, 1, 2]
    assert [r["id"] for r in regions] == [o.region_id for o in OFFERS]
    assert (written["score"], written["model_version"]) == (OFFERS[0].suggestion.score, "tiny-1")


def test_pick_shows_as_many_as_have_a_label():
    (written,) = write_predictions((*OFFERS, offer(3, rectangle(SIZE, 0, 35, 9, 39))), PICK, version="v")

    assert len(written["result"]) == 3
    assert write_predictions((), PICK, version="v") == []


def shuffled(*places):
    return tuple(replace(o, place=place) for o, place in zip(OFFERS, places, strict=True))


def test_shuffled_alternatives_are_shown_by_their_places_and_say_nothing_of_their_ranks():
    written = write_predictions(shuffled(1, 2, 0), BRUSH, version="tiny-1")

    regions = [p["result"][0] for p in written]
    assert [r["meta"]["rank"] for r in regions] == [1, 0, 2]
    assert [r["meta"]["text"] for r in regions] == [
        [f"3rd of 3. {TOYS}"], [f"2nd of 3. {TOYS}"], [f"1st of 3. {TOYS}"],
    ]  # fmt: skip
    assert {p["score"] for p in written} == {0.5}
    assert not any("score" in region for region in regions)


def test_with_fewer_labels_than_alternatives_the_best_are_shown_shuffled_or_not():
    three = read_controls(read("pick_brush.xml"))
    two = replace(three, pick=replace(three.pick, rank_labels=("1st", "2nd")))

    shown = [
        {
            region["value"]["brushlabels"][0]: region["meta"]["rank"]
            for region in write_alternatives(offers, two)
        }
        for offers in (OFFERS, shuffled(2, 1, 0))
    ]

    assert shown == [{"1st": 0, "2nd": 1}, {"1st": 1, "2nd": 0}]


def test_of_shuffled_alternatives_the_labels_are_the_places():
    (written,) = write_predictions(shuffled(2, 0, 1), read_controls(read("pick_brush.xml")), version="tiny-1")

    shown = {r["value"]["brushlabels"][0]: r["meta"]["rank"] for r in written["result"]}
    assert shown == {"1st": 1, "2nd": 2, "3rd": 0}


@pytest.mark.parametrize(
    "layout", ["pick_brush", "pick_bitmask", "pick_polygon", "pick_rectangle", "tabs_brush"]
)
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_in_every_kind_of_config_an_untouched_alternative_is_an_acceptance(layout, rank):
    controls = read_controls(read(f"{layout}.xml"))
    regions = [r for p in write_predictions(OFFERS, controls, version="v") for r in p["result"]]
    kept = [region for region in regions if region["meta"]["rank"] == rank]
    mask, ids = read_mask(kept)

    answer = Annotation(1, TASK, datetime(2026, 1, 1, tzinfo=UTC), mask, ids)
    correction = judge_annotation(answer, [to_shown_alternative(offer, controls) for offer in OFFERS])

    assert (correction.verdict, correction.rank) == (Verdict.ACCEPTED, rank)


def test_a_fix_of_an_alternative_is_an_edit_of_it():
    fixed = rle.encode_rle(rectangle(SIZE, 17, 5, 29, 28))
    (region,) = write_refined_mask(fixed, OFFERS[1], BRUSH, score=0.9)
    mask, ids = read_mask([region])

    correction = judge_annotation(Annotation(1, TASK, datetime(2026, 1, 1, tzinfo=UTC), mask, ids), OFFERS)

    assert mask == fixed
    assert (correction.verdict, correction.rank) == (Verdict.EDITED, 1)


def test_the_note_of_a_late_proposal_says_who_found_it_unless_it_is_shuffled():
    late = replace(OFFERS[0], suggestion=replace(OFFERS[0].suggestion, late_method="grounder"))

    assert "%, made where grounder says that it is. " in make_note(late, 3)
    assert "grounder" not in make_note(replace(late, place=1), 3)


def make_doubted(chance, *, is_prechosen=False, places=(None, None, None)):
    """The alternatives of an expression that has a referent with a chance only."""
    absence = Absence(chance, is_prechosen)
    return [
        replace(one, place=place, suggestion=replace(one.suggestion, absence=absence))
        for one, place in zip(OFFERS, places, strict=True)
    ]


def find_chosen(prediction):
    return [r["value"]["choices"] for r in prediction["result"] if r["type"] == "choices"]


def test_probably_no_such_thing_is_a_tab_of_its_own_and_not_the_one_that_opens():
    controls = read_controls(read("tabs_brush.xml"))

    written = write_predictions(make_doubted(0.75), controls, version="v")

    assert [find_chosen(one) for one in written] == [[["object not in image"]], [], [], []]
    assert written[0]["score"] == 0.75
    assert written[1:] == write_predictions(make_doubted(0.75, places=(None,) * 3), controls, version="v")[1:]


def test_the_tab_opens_first_where_a_team_asks_for_it():
    controls = read_controls(read("tabs_brush.xml"))

    written = write_predictions(make_doubted(0.75, is_prechosen=True), controls, version="v")

    assert [find_chosen(one) for one in written] == [[], [], [], [["object not in image"]]]


@pytest.mark.parametrize(("is_prechosen", "chosen"), [(False, []), (True, [["object not in image"]])])
def test_in_pick_it_is_said_in_the_notes_and_chosen_only_where_a_team_asks_for_it(is_prechosen, chosen):
    controls = read_controls(read("pick_brush.xml"))

    (written,) = write_predictions(make_doubted(0.75, is_prechosen=is_prechosen), controls, version="v")

    assert find_chosen(written) == chosen
    assert written["result"][0]["meta"]["text"][0].startswith(
        "Probably no such thing (chance 75 %). 1st of 3"
    )


@pytest.mark.parametrize("layout", ["tabs_brush.xml", "pick_brush.xml"])
def test_an_answer_that_takes_it_means_no_referent(layout):
    controls = read_controls(read(layout))
    written = write_predictions(make_doubted(0.9, is_prechosen=True), controls, version="v")

    assert select_meant_regions(written[-1]["result"], controls) == []


@pytest.mark.parametrize(
    "alternatives", [make_doubted(0.49), make_doubted(0.9, places=(2, 0, 1)), make_doubted(0.9)[:0]],
    ids=["there probably is one", "shuffled", "no alternatives"],
)  # fmt: skip
@pytest.mark.parametrize("layout", ["tabs_brush.xml", "pick_brush.xml"])
def test_otherwise_nothing_is_said(layout, alternatives):
    written = write_predictions(alternatives, read_controls(read(layout)), version="v")

    assert [find_chosen(one) for one in written] == [[]] * len(written)
    assert "no such thing" not in str(written)
