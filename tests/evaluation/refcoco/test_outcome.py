"""First masks on coloured squares, where the right answer follows from the colours in the expression."""

from dataclasses import replace

import numpy as np
import pytest

from ris.core import rle
from ris.core.types import Image, MethodScores
from ris.datasets.benchmark import Benchmark
from ris.datasets.entry import Entry
from ris.errors import ImageUnreachable
from ris.evaluation.rankings import FUSION
from ris.evaluation.refcoco.outcome import (
    NO_PREFERENCE,
    NO_PROPOSALS,
    FirstMask,
    compute_overlap,
    evaluate_image,
    find_first_masks,
    group_by_image,
)
from ris.referring.global_local import GLOBAL_LOCAL_PAPER, GlobalLocal
from ris.referring.pipeline import Pipeline, ReferResult
from ris.referring.ranking import RankingSettings
from tests.builders.fakes import ColourEncoder, SquaresProposer, WordParser, squares
from tests.builders.masks import make_scene, rectangle

SIZE = (32, 32)
RED = rle.encode_rle(np.all(squares() == (255, 0, 0), axis=-1))
BLACK = Image.from_pixels(np.zeros((32, 32, 3), np.uint8))


@pytest.fixture
def pipeline():
    framing = replace(
        GLOBAL_LOCAL_PAPER.framing, mean=(0, 0, 0), std=(1, 1, 1), working_side=None, background=(0, 0, 0),
        box_rule="tight", antialias=True, grid_antialias=True,
    )  # fmt: skip
    method = GlobalLocal(ColourEncoder(), replace(GLOBAL_LOCAL_PAPER, framing=framing, first_masked_block=1))
    return Pipeline(SquaresProposer(), WordParser(), (method,), RankingSettings(), "fake-1")


def entry(words="the red", mask=RED, *, image="a.png", split="val", size=SIZE):
    return Entry(words, image, size, mask, mask is not None, split)


def tried(pipeline, *entries, load=lambda name: Image.from_pixels(squares())):
    benchmark = Benchmark("drawn", "ris", entries)
    ticks = iter([10.0, 12.0])
    (group,) = group_by_image(benchmark, ["val"])
    return evaluate_image(benchmark, group, pipeline, load, lambda: next(ticks))


def test_an_image_is_seen_once_for_all_its_expressions_and_every_ranking_is_judged(pipeline):
    made = tried(pipeline, entry(), entry("the red"), entry("the blue"))

    assert pipeline.proposer.calls == 1
    assert [(o.sample, o.method) for o in made] == [
        (n, m) for n in range(3) for m in ("global-local", FUSION)
    ]
    assert [o.iou for o in made] == [1, 1, 1, 1, 0, 0]
    assert [o.intersection_px for o in made] == [64, 64, 64, 64, 0, 0]
    assert [o.union_px for o in made] == [64, 64, 64, 64, 128, 128]
    assert rle.from_string(made[0].mask, (made[0].height, made[0].width)) == RED
    assert {(o.dataset, o.split_by, o.split, o.image, o.model_version, o.reason) for o in made} == {
        ("drawn", "ris", "val", "a.png", "fake-1", "")
    }
    assert {o.seconds for o in made} == {2 / 3}


def test_the_expressions_of_an_image_come_together_and_keep_their_place_in_the_dataset():
    entries = (
        entry(split="train"), entry(image="b.png"), entry(), entry("x", image="b.png"), entry(split="testA"),
    )  # fmt: skip

    found = group_by_image(Benchmark("drawn", "ris", entries), ["val", "testA"])

    assert [(g.split, g.image, [n for n, _ in g.samples]) for g in found] == [
        ("val", "b.png", [1, 3]), ("val", "a.png", [2]), ("testA", "a.png", [4]),
    ]  # fmt: skip


def test_an_image_that_cannot_be_had_makes_misses_with_the_reason(pipeline):
    def load(name):
        raise ImageUnreachable("there is no such image in train2014")

    made = tried(pipeline, entry(), entry("no such thing", None), load=load)

    assert [(o.method, o.iou, o.intersection_px, o.union_px) for o in made] == [
        ("global-local", 0, 0, 64), (FUSION, 0, 0, 64), ("global-local", 0, 0, 0), (FUSION, 0, 0, 0),
    ]  # fmt: skip
    assert {o.reason for o in made} == {"there is no such image in train2014"}


def test_an_image_of_another_size_than_the_masks_is_not_ranked(pipeline):
    (first, _) = tried(pipeline, entry(size=(32, 16), mask=rle.encode_rle(rectangle((32, 16), 0, 0, 2, 2))))

    assert (first.iou, first.union_px) == (0, 4)
    assert "the image is 32 x 32 pixels (height x width), the dataset says 32 x 16" in first.reason


def test_where_nothing_was_proposed_a_referent_is_missed_and_its_absence_is_right(pipeline):
    made = tried(pipeline, entry(), entry("the dog", None), load=lambda name: BLACK)

    assert [(o.has_referent, o.iou, o.union_px, o.reason) for o in made] == [
        (True, 0, 64, NO_PROPOSALS), (True, 0, 64, NO_PROPOSALS), (False, 1, 0, ""), (False, 1, 0, ""),
    ]  # fmt: skip


def test_a_mask_for_an_expression_without_a_referent_is_wrong_by_its_area(pipeline):
    (first, _) = tried(pipeline, entry("the red", None))

    assert (first.iou, first.intersection_px, first.union_px, first.mask) == (0, 0, 64, rle.to_string(RED))


def test_methods_without_a_say_answer_with_nothing_and_say_why():
    scene = make_scene(rectangle((8, 8), 0, 0, 2, 2), rectangle((8, 8), 4, 4, 8, 8))
    opinions = (
        MethodScores("flat", np.zeros(2, np.float32)),
        MethodScores("down", skipped_reason="no describer"),
        MethodScores("lost", np.full(2, np.nan, np.float32)),
        MethodScores("sure", np.array([1, 2], np.float32)),
    )

    found = dict(find_first_masks(scene, ReferResult((), opinions, "v")))

    assert found == {
        "flat": FirstMask(None, NO_PREFERENCE),
        "down": FirstMask(None, "no describer"),
        "lost": FirstMask(None, NO_PREFERENCE),
        "sure": FirstMask(scene.masks[1]),
        FUSION: FirstMask(None, "no method scored the proposals"),
    }


LEFT, RIGHT, ALL, NONE = (
    rle.encode_rle(rectangle((4, 8), *box))
    for box in ((0, 0, 4, 4), (4, 0, 8, 4), (0, 0, 8, 4), (0, 0, 0, 0))
)


@pytest.mark.parametrize(
    ("referent", "answer", "wanted"),
    [
        (LEFT, FirstMask(LEFT), (16, 16, 1.0)),
        (LEFT, FirstMask(RIGHT), (0, 32, 0.0)),
        (LEFT, FirstMask(ALL), (16, 32, 0.5)),
        (LEFT, FirstMask(None), (0, 16, 0.0)),
        (LEFT, FirstMask(None, "why"), (0, 16, 0.0)),
        (NONE, FirstMask(None), (0, 0, 0.0)),
        (NONE, FirstMask(LEFT), (0, 16, 0.0)),
        (None, FirstMask(None), (0, 0, 1.0)),
        (None, FirstMask(LEFT), (0, 16, 0.0)),
        (None, FirstMask(None, "why"), (0, 0, 0.0)),
    ],
    ids=[
        "right", "wrong", "half", "nothing offered", "could not look", "empty union", "empty referent",
        "rightly nothing", "no such thing", "no such thing, could not look",
    ],
)  # fmt: skip
def test_an_answer_is_judged_by_its_pixels(referent, answer, wanted):
    assert compute_overlap(referent, answer) == wanted
