import numpy as np
import pytest

from ris.core.types import Image
from ris.referring.attributes import Attributes, find_groups, measure_person
from tests.builders.masks import make_proposals, make_scene, rectangle, see_all, words

SIZE = (100, 200)
RED, BLUE, DARK_BLUE, GREY = (200, 20, 20), (60, 120, 230), (10, 20, 90), (128, 128, 128)


def draw(*things):
    """An image and its scene: things are (x, colour) or (x, colour, width, height), all at y = 20."""
    pixels, masks = np.full((*SIZE, 3), 255, np.uint8), []
    for x, colour, *extent in things:
        width, height = extent or (20, 20)
        masks.append(rectangle(SIZE, x, 20, x + width, 20 + height))
        pixels[masks[-1]] = colour
    image = Image.from_pixels(pixels)
    proposals = make_proposals(*masks)
    return see_all(image, proposals, Attributes())


BAGS = ((10, RED), (60, BLUE), (110, DARK_BLUE), (160, GREY))


def find_first(scene, text, **more):
    (found,) = Attributes().score(scene, [words(text, **more)])
    return int(found.scores.argmax())


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("red bag", 0), ("blue bag", 1), ("dark blue bag", 2), ("grey bag", 3), ("gray bag", 3),
        ("leftmost bag", 0), ("rightmost bag", 3), ("second bag from the left", 1),
        ("second bag from the right", 2), ("third bag from the left", 2), ("last bag from the left", 3),
        ("rightmost blue bag", 2), ("first blue bag from the left", 1),
    ],
)  # fmt: skip
def test_the_proposal_that_the_words_mean_comes_first(text, first):
    assert find_first(draw(*BAGS), text) == first


def test_an_ordinal_counts_things_that_look_alike():
    poster = (5, RED, 6, 70)
    bags = ((40, BLUE), (90, BLUE), (140, BLUE))

    assert find_first(draw(poster, *bags), "first bag from the left") == 1
    assert find_first(draw(poster, *bags), "second bag from the left") == 2


@pytest.mark.parametrize(("text", "first"), [("big bag", 1), ("small bag", 0), ("tall bag", 1)])
def test_sizes_compare_things(text, first):
    assert find_first(draw((10, RED), (80, RED, 60, 60)), text) == first


def test_a_negated_colour_is_avoided():
    assert find_first(draw((10, RED), (60, BLUE)), "bag not red") == 1


def test_without_a_usable_word_the_quality_decides_and_that_is_said():
    (found,) = Attributes().score(draw(*BAGS), [words("the mug")])

    assert found.skipped_reason == "" and int(found.scores.argmax()) == 0
    assert found.evidence == {
        "words used": "none: the masks are ranked by their outlines alone",
        "words not used": "mug: not recognised without a network",
    }


def test_it_says_which_words_it_used():
    (found,) = Attributes().score(draw(*BAGS), [words("second red bag from the left")])

    assert found.evidence["words used"] == "red, number 2 from the left"


def test_two_that_overlap_are_not_counted_twice():
    bags = [rectangle(SIZE, x, 20, x + 20, 40) for x in (10, 60, 110)]
    again = rectangle(SIZE, 11, 20, 31, 40)
    scene = see_all(
        Image.from_pixels(np.zeros((*SIZE, 3), np.uint8)), make_proposals(*bags, again), Attributes()
    )

    groups = find_groups(scene, scene.features["attributes"])

    assert groups[1].tolist() == [True, True, True, False]


def test_a_person_is_upright_and_not_tiny():
    scene = make_scene(
        rectangle(SIZE, 10, 10, 40, 80), rectangle(SIZE, 60, 10, 160, 30), rectangle(SIZE, 180, 10, 182, 14)
    )

    assert int(measure_person(scene).argmax()) == 0


def test_an_image_without_proposals_has_no_scores():
    image = Image.from_pixels(np.zeros((*SIZE, 3), np.uint8))
    nothing = make_proposals(rectangle(SIZE, 0, 0, 1, 1))
    empty = type(nothing).from_masks((), SIZE, np.zeros(0, np.float32))

    (found,) = Attributes().score(see_all(image, empty, Attributes()), [words("the mug")])

    assert found.scores.shape == (0,)


def test_a_mask_thinner_than_the_step_has_a_colour():
    size = (1000, 1000)
    image = Image.from_pixels(np.full((*size, 3), RED, np.uint8))

    seen = Attributes().see(image, make_proposals(rectangle(size, 501, 501, 502, 502)))

    assert seen["colours"].sum() == pytest.approx(1)
