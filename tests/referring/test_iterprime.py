"""IteRPrimE: the refinement, the mask scores and the stop rule."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core.types import Image
from ris.referring.emphasis import TokenPositions, emphasise_primary_word
from ris.referring.heat import count_parts, enlarge_heat, scale_to_unit
from ris.referring.iterprime import (
    ITERPRIME_PAPER,
    IterPrime,
    find_unhidden_patches,
    score_masks,
)
from ris.referring.protocols import AttentionMaps
from tests.builders.masks import make_proposals, rectangle, see_all
from tests.builders.tokens import parse_tokens, spans_of

RANDOM = np.random.default_rng(7)


@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=30))
def test_hot_patches_are_hidden_next(values):
    cam = scale_to_unit(np.array(values, np.float32))
    sharp = [1 / (1 + np.exp(-20 * (v - 0.5))) for v in cam]

    assert find_unhidden_patches(cam, ITERPRIME_PAPER).tolist() == [s / max(sharp) < 0.5 for s in sharp]


def test_a_mask_scores_one_and_its_mean_heat():
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0], heat[0, 1] = 1.0, 0.5
    masks = np.array([rectangle((4, 4), 0, 0, 2, 1), rectangle((4, 4), 0, 0, 4, 4)])

    np.testing.assert_allclose(score_masks(masks, heat, ITERPRIME_PAPER), [1.75, 1 + 1.5 / 16], atol=1e-5)


def test_masks_without_the_hottest_pixel_are_not_considered():
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0], heat[3, 3] = 1.0, 0.9
    masks = np.array([rectangle((4, 4), 0, 0, 4, 4), rectangle((4, 4), 3, 3, 4, 4)])

    assert score_masks(masks, heat, ITERPRIME_PAPER)[1] == 0
    assert score_masks(masks, heat, replace(ITERPRIME_PAPER, peak_filter=False))[1] == pytest.approx(
        1.9, abs=1e-4
    )


def test_of_equally_hot_pixels_a_mask_needs_to_hold_one():
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = heat[3, 3] = 1.0
    masks = np.array(
        [rectangle((4, 4), 0, 0, 1, 1), rectangle((4, 4), 3, 3, 4, 4), rectangle((4, 4), 1, 1, 2, 2)]
    )

    np.testing.assert_allclose(score_masks(masks, heat, ITERPRIME_PAPER), [2, 2, 0], atol=1e-4)


def test_two_equally_hot_pixels_in_a_scene_leave_both_masks_in():
    """Squares of one colour in opposite corners: the enlarged map has a hottest pixel in each."""
    corners = [rectangle((32, 32), 0, 0, 8, 8), rectangle((32, 32), 24, 24, 32, 32)]
    pixels = np.zeros((32, 32, 3), np.uint8)
    for mask in corners:
        pixels[mask, 0] = 255
    chosen = method(Looker())
    image, proposals = Image.from_pixels(pixels), make_proposals(*corners, rectangle((32, 32), 12, 0, 20, 8))
    scene = see_all(image, proposals, chosen)
    (found,) = chosen.score(scene, [parse_tokens("the red", 1)])
    maps, _ = method(Looker()).compute_heat_maps(
        scene.features["iterprime"]["encoded"], [parse_tokens("the red", 1)]
    )
    large = enlarge_heat(maps[0], (32, 32))

    assert len(np.argwhere(large == large.max())) >= 2
    assert (found.scores[:2] > 1).all()
    assert found.scores[2] == 0


@pytest.mark.parametrize(("iterations", "score"), [(3, 1), (1, 2)], ids=["refined", "sharpened: all is hot"])
def test_a_map_without_heat_leaves_every_mask_as_good_as_the_next(iterations, score):
    class Blind(Looker):
        def attend(self, encoded, texts, kept):
            return AttentionMaps(
                *(np.zeros((len(texts), 1, 6, 16), np.float32) for _ in range(2)),
                np.full(len(texts), 0.5, np.float32),
            )

    chosen = method(Blind(), iterations=iterations)
    scene = see_all(picture(), make_proposals(*SQUARES), chosen)

    scores = chosen.score(scene, [parse_tokens("the red", 1)])[0].scores

    assert (scores == scores[0]).all()
    assert scores[0] == pytest.approx(score, abs=1e-4)


def test_with_one_pass_masks_are_chosen_by_the_sharpened_map():
    masks = [*SQUARES, RANDOM.random((32, 32)) > 0.4, rectangle((32, 32), 0, 0, 32, 32)]
    chosen = method(Looker(), iterations=1, max_parts=100)
    scene = see_all(picture(), make_proposals(*masks), chosen)
    (found,) = chosen.score(scene, [parse_tokens("the green", 1)])
    maps, _ = method(Looker(), iterations=1).compute_heat_maps(
        scene.features["iterprime"]["encoded"], [parse_tokens("the green", 1)]
    )
    large = scale_to_unit(enlarge_heat(maps[0], (32, 32)))
    sharp = 1 / (1 + np.exp(-20 * (large - 0.5)))
    sharp /= sharp.max()

    wanted = [1 + sharp[mask].mean() if mask[large == large.max()].any() else 0 for mask in masks]

    np.testing.assert_allclose(found.scores, wanted, atol=2e-4)
    plain = score_masks(np.array(masks), large, chosen.settings)
    assert abs(found.scores - plain).max() > 0.01


@pytest.mark.parametrize(("n_parts", "considered"), [(12, True), (13, False)])
def test_a_mask_in_more_than_twelve_parts_is_not_considered(n_parts, considered):
    mask = np.zeros((3, 40), np.bool_)
    mask[1, 1 : 2 * n_parts : 2] = True
    heat = np.zeros((3, 40), np.float32)
    heat[1, 1] = 1

    assert count_parts(mask) == n_parts
    assert (score_masks(mask[None], heat, replace(ITERPRIME_PAPER, peak_filter=False))[0] > 0) == considered


class Looker:
    """A matcher whose attention is what the test says: hot where the text's colour is in the picture.

    `match` gives the probability of each pass in turn. It keeps what it was asked to leave out.
    """

    input_size, grid_size = 8, 4

    def __init__(self, match=(0.9, 0.8, 0.7)):
        self.match, self.kept, self.calls = match, [], Counter()

    def encode_picture(self, picture):
        self.calls["pictures"] += 1
        return picture.reshape(3, 4, 2, 4, 2).mean((2, 4)).reshape(3, 16)

    def find_token_spans(self, texts):
        return [spans_of(text) for text in texts]

    def attend(self, encoded, texts, kept):
        self.calls["passes"] += 1
        self.kept.append(kept.copy())
        rows = []
        for text, keep in zip(texts, kept, strict=True):
            channel = next(i for i, c in enumerate(("red", "green", "blue")) if c in text)
            weight = np.where(keep, np.maximum(encoded[channel], 0) + 1e-3, 0)
            rows.append(np.tile(weight / max(weight.sum(), 1e-9), (1, len(spans_of(text)), 1)))
        longest = max(row.shape[1] for row in rows)
        attention = np.zeros((len(texts), 1, longest, 16), np.float32)
        for i, row in enumerate(rows):
            attention[i, :, : row.shape[1]] = row
        match = self.match[len(self.kept) - 1]
        return AttentionMaps(attention, np.ones_like(attention), np.full(len(texts), match, np.float32))


SQUARES = [rectangle((32, 32), x, y, x + 8, y + 8) for x, y in ((0, 0), (24, 0), (0, 24))]


def picture():
    pixels = np.zeros((32, 32, 3), np.uint8)
    for channel, mask in enumerate(SQUARES):
        pixels[mask, channel] = 255
    return Image.from_pixels(pixels)


SETTINGS = replace(ITERPRIME_PAPER, mean=(0, 0, 0), std=(1, 1, 1))


def method(looker, **changes):
    return IterPrime(looker, replace(SETTINGS, **changes))


def test_the_mask_that_the_words_look_at_comes_first():
    chosen = method(Looker())
    scene = see_all(picture(), make_proposals(*SQUARES), chosen)

    found = chosen.score(
        scene, [parse_tokens("the red", 1), parse_tokens("the green", 1), parse_tokens("the blue", 1)]
    )

    assert [int(s.scores.argmax()) for s in found] == [0, 1, 2]
    assert found[0].heat.shape == (4, 4)
    assert found[0].evidence["primary word"] == "red"


def test_scores_from_the_scene_agree_with_the_dense_mask_choice():
    masks = [*SQUARES, RANDOM.random((32, 32)) > 0.4, rectangle((32, 32), 0, 0, 32, 32)]
    for peak_filter in (True, False):
        chosen = method(Looker(), peak_filter=peak_filter, max_parts=100)
        scene = see_all(picture(), make_proposals(*masks), chosen)
        (found,) = chosen.score(scene, [parse_tokens("the green", 1)])
        again = method(Looker(), peak_filter=peak_filter, max_parts=100)
        maps, _ = again.compute_heat_maps(
            scene.features["iterprime"]["encoded"], [parse_tokens("the green", 1)]
        )

        wanted = score_masks(np.array(masks), scale_to_unit(enlarge_heat(maps[0], (32, 32))), chosen.settings)

        np.testing.assert_allclose(found.scores, wanted, atol=2e-5)


def test_the_refined_map_is_four_fifths_of_the_old_and_a_fifth_of_the_new():
    looker = Looker(match=(0.5, 0.6, 0.7))
    chosen = method(looker)
    encoded = see_all(picture(), make_proposals(*SQUARES), chosen).features["iterprime"]["encoded"]

    maps, passes = chosen.compute_heat_maps(encoded, [parse_tokens("the red", 1)])

    cams = []
    for kept in looker.kept:
        attended = Looker().attend(encoded, ["there is a the red"], kept)
        pieces = TokenPositions((5,), (5,), 6)
        cams.append(emphasise_primary_word(attended.attention[0], attended.gradient[0], pieces))
    wanted = 0.8 * (0.8 * cams[0] + 0.2 * cams[1]) + 0.2 * cams[2]
    assert passes == [3]
    np.testing.assert_allclose(maps[0].ravel(), wanted, atol=1e-6)


def test_what_was_hot_stays_hidden():
    looker = Looker(match=(0.5, 0.6, 0.7))
    chosen = method(looker)
    encoded = see_all(picture(), make_proposals(*SQUARES), chosen).features["iterprime"]["encoded"]
    chosen.compute_heat_maps(encoded, [parse_tokens("the red", 1)])

    first, second, third = (kept[0] for kept in looker.kept)
    assert first.all()
    assert not second.all()
    assert (third <= second).all()


@pytest.mark.parametrize(
    ("match", "n_passes"),
    [((0.5, 0.6, 0.7), 3), ((0.5, 0.4, 0.9), 2), ((0.5, 0.5, 0.5), 3), ((0.5, 0.6, 0.1), 3)],
    ids=["rises", "falls", "stays", "falls at the end"],
)
def test_it_stops_when_the_match_falls(match, n_passes):
    chosen = method(Looker(match))
    encoded = see_all(picture(), make_proposals(*SQUARES), chosen).features["iterprime"]["encoded"]

    assert chosen.compute_heat_maps(encoded, [parse_tokens("the red", 1)])[1] == [n_passes]


@given(st.lists(st.integers(1, 99), min_size=3, max_size=3))
def test_the_area_factor_of_the_description_never_matters(percent):
    """The code weighs both sides of its comparison by the share of the map that is left."""
    match = [p / 100 for p in percent]
    chosen = method(Looker(match))
    encoded = see_all(picture(), make_proposals(*SQUARES), chosen).features["iterprime"]["encoded"]

    _, (passes,) = chosen.compute_heat_maps(encoded, [parse_tokens("the red", 1)])

    heat = method(Looker(match), iterations=1).compute_heat_maps(encoded, [parse_tokens("the red", 1)])[0][0]
    area = float((1 - heat).mean())
    stops = [t for t in (1, 2) if area * match[t] < area * match[t - 1]]
    assert passes == (stops[0] + 1 if stops else 3)


def test_the_failing_step_is_in_the_map_as_in_the_code_or_left_out():
    with_it, without = (method(Looker((0.5, 0.4, 0.3)), keeps_failing_step=keeps) for keeps in (True, False))
    encoded = see_all(picture(), make_proposals(*SQUARES), with_it).features["iterprime"]["encoded"]
    once = method(Looker(), iterations=1).compute_heat_maps(encoded, [parse_tokens("the red", 1)])[0]

    np.testing.assert_array_equal(without.compute_heat_maps(encoded, [parse_tokens("the red", 1)])[0], once)
    assert (with_it.compute_heat_maps(encoded, [parse_tokens("the red", 1)])[0] != once).any()


def test_the_image_is_encoded_once_for_three_passes_and_five_expressions():
    looker = Looker(match=(0.5, 0.6, 0.7))
    chosen = method(looker)
    scene = see_all(picture(), make_proposals(*SQUARES), chosen)

    chosen.score(scene, [parse_tokens(f"the {c}", 1) for c in ("red", "green", "blue", "red", "blue")])

    assert looker.calls == {"pictures": 1, "passes": 3}


def test_expressions_together_score_as_alone():
    texts = ["the red", "the green", "the very blue"]
    chosen = method(Looker((0.5, 0.6, 0.7)))
    scene = see_all(picture(), make_proposals(*SQUARES), chosen)

    together = chosen.score(scene, [parse_tokens(t, 1) for t in texts])

    for text, one in zip(texts, together, strict=True):
        (alone,) = method(Looker((0.5, 0.6, 0.7))).score(scene, [parse_tokens(text, 1)])
        np.testing.assert_allclose(one.scores, alone.scores, atol=1e-6)


def test_without_expressions_or_proposals_there_is_nothing():
    chosen = method(Looker())
    empty = make_proposals(SQUARES[0])
    empty = type(empty).from_masks([], empty.masks.size, empty.quality[:0])
    scene = see_all(picture(), empty, chosen)

    assert chosen.score(scene, []) == []
    assert len(chosen.score(scene, [parse_tokens("the red", 1)])[0].scores) == 0
