"""LGD against its formulas, on hand-made features, masks and words."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from ris.core.arrays import normalise_rows
from ris.core.tree import Node, Tree
from ris.core.types import Image
from ris.errors import DescriberError
from ris.referring.description import clean_description
from ris.referring.lgd import (
    ATTRIBUTE_PROMPT,
    LGD_PAPER,
    LGD_PLAIN_WORDS,
    SURROUNDING_PROMPT,
    Lgd,
    combine_scores,
    compute_centroids,
    crop_to_mask,
    preprocess_crop,
)
from tests.builders.fakes import ColourEncoder, squares
from tests.builders.masks import make_proposals, rectangle, see_all, words
from tests.referring.tables import read_rows, to_tree

SETTINGS = replace(LGD_PAPER, mean=(0, 0, 0), std=(1, 1, 1), rectifier="off")


class ChunkParser:
    """Noun phrases are what stands between "near", "and" and the like."""

    def parse(self, text):
        phrases = [p.strip() for p in text.replace(" and ", "|").replace(" near ", "|").split("|")]
        read = words(text)
        return replace(read, subject=phrases[0], landmarks=tuple(phrases[1:]))

    def parse_tree(self, text):
        """All words hang on the first; "it" and "this" are pronouns."""
        nodes = []
        for word in words(text).words:
            pos = "PRON" if word.text.lower() in ("it", "this") else word.pos
            nodes.append(Node(word.text, pos, word.start, 0))
        phrases, start = [], 0
        for i, node in enumerate([*nodes, None]):
            if node is None or node.text in ("near", "and"):
                phrases += [(start, i)] if i > start else []
                start = i + 1
        return Tree(text, tuple(nodes), tuple(phrases), 0 if phrases else None)


class SameWord:
    source = "test"

    def is_near(self, one, two):
        return one == two


class Speaker:
    """Answers by what the prompt asks for, and keeps what it was asked."""

    model = "speaker"

    def __init__(self, attribute="a red thing", surrounding="red near green"):
        self.attribute, self.surrounding, self.asked = attribute, surrounding, []

    def look(self, image):
        return np.array([image.size[0]], np.int64)

    def describe(self, digest, looked, prompts):
        self.asked += prompts
        return [self.attribute if "local concept" in p else self.surrounding for p in prompts]


def method(speaker=None, **changes):
    return Lgd(ColourEncoder(), speaker or Speaker(), ChunkParser(), SameWord(), replace(SETTINGS, **changes))


MASKS = [(squares() == colour).all(-1) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))]


def score(chosen, expression):
    scene = see_all(Image.from_pixels(squares()), make_proposals(*MASKS), chosen)
    return chosen.score(scene, [expression])[0]


def test_the_prompts_are_the_authors_to_the_letter():
    start = (
        'Given a image and the corresponding referring expression "the left mug", the entity referred by the '
        "referring expression is unique in the image. Please generate a caption "
    )
    assert ATTRIBUTE_PROMPT.format("the left mug") == start + (
        "with local concept to describe the referent object according to the referring expression. "
        'The format is "a photo of  <object>(attribute)" '
    )
    assert SURROUNDING_PROMPT.format("the left mug") == start + (
        "to describe the referent object and its surrounding entities according to the referring expression. "
        'The format is "a photo of  <object> surrounded by (entities)" '
    )


def test_the_papers_numbers_are_the_best_supported_ones():
    assert (LGD_PAPER.attribute_weight, LGD_PAPER.surrounding_weight) == (0.5, -1.0)
    assert (LGD_PAPER.local_share, LGD_PAPER.blur_px, LGD_PAPER.background) == (0.5, 50.0, (0, 0, 0))


def test_the_score_is_the_sum_of_three_weighed_cosines():
    visual = np.array([[0.6, 0.0], [0.3, 0.4]], np.float32)  # lengths 0.6 and 0.5: not of unit length
    vanilla, attribute = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    around = np.array([[1, 0], [0, 1]], np.float32)

    got = combine_scores(visual, vanilla, attribute, around, alpha=0.5, beta=-1.0)

    np.testing.assert_allclose(got, [60 + 0 - 30, 30 + 20 - 35], atol=1e-4)


def test_surroundings_count_against_the_mask_that_looks_like_them():
    visual, vanilla = np.eye(2, dtype=np.float32), np.array([0.7, 0.7], np.float32)
    around = np.array([[1, 0]], np.float32)

    first, second = combine_scores(visual, vanilla, None, around, alpha=0.5, beta=-1.0)

    assert first < second


def test_without_phrases_the_term_is_nought_and_not_nothing_divided():
    visual, vanilla = np.eye(2, dtype=np.float32), np.array([1, 0], np.float32)
    nothing = np.zeros((0, 2), np.float32)

    assert combine_scores(visual, vanilla, None, nothing, alpha=0.5, beta=-1.0).tolist() == [100, 0]


def test_with_both_weights_nought_it_is_the_vanilla_score_and_nobody_is_asked():
    speaker = Speaker()
    chosen = method(speaker, attribute_weight=0.0, surrounding_weight=0.0)

    found = score(chosen, words("the red"))

    visual = chosen.see(Image.from_pixels(squares()), make_proposals(*MASKS))["visual"]
    vanilla = normalise_rows(chosen.encoder.encode_texts(["the red"]))[0]
    np.testing.assert_allclose(found.scores, 100 * visual @ vanilla, atol=1e-4)
    assert speaker.asked == []


def test_views_that_disagree_make_a_shorter_feature():
    chosen = method()
    pixels = np.full((40, 40, 3), 255, np.uint8)
    pixels[10:20, 10:20] = (255, 0, 0)
    proposals = make_proposals(rectangle((40, 40), 10, 10, 20, 20), rectangle((40, 40), 0, 0, 40, 40))

    visual = chosen.see(Image.from_pixels(pixels), proposals)["visual"]

    alone, before = (normalise_rows(chosen.encoder.encode_images(np.array(v))) for v in chosen.make_views(
        pixels, proposals.masks))  # fmt: skip
    np.testing.assert_allclose(visual, (alone + before) / 2, atol=1e-6)
    lengths = np.linalg.norm(visual, axis=1)
    assert lengths[1] == pytest.approx(1, abs=1e-4)  # the whole image: both views show the same
    assert 0 < lengths[0] <= 1


def test_inside_the_mask_the_blurred_view_shows_the_picture_and_outside_the_blur():
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    mask = np.random.default_rng(1).random((30, 40)) > 0.5
    mask[[0, -1]] = mask[:, [0, -1]] = True  # so that the box is the whole picture
    blurred = cv2.GaussianBlur(pixels, (0, 0), sigmaX=50, sigmaY=50)

    got = crop_to_mask(pixels, mask, blurred, replace(SETTINGS, box_rule="tight"))

    np.testing.assert_array_equal(got[mask], pixels[mask])
    np.testing.assert_array_equal(got[~mask], blurred[~mask])


def test_the_authors_crop_loses_the_last_row_and_column():
    pixels = np.arange(6 * 6 * 3, dtype=np.uint8).reshape(6, 6, 3)
    mask = rectangle((6, 6), 1, 2, 5, 6)

    assert crop_to_mask(pixels, mask, pixels, SETTINGS).shape == (3, 3, 3)
    assert crop_to_mask(pixels, mask, pixels, replace(SETTINGS, box_rule="tight")).shape == (4, 4, 3)
    assert crop_to_mask(pixels, rectangle((6, 6), 2, 2, 3, 3), pixels, SETTINGS).shape == (1, 1, 3)


@pytest.mark.parametrize("shape", [(20, 9), (9, 20), (20, 10), (7, 7)])
def test_padding_is_half_the_difference_rounded_down_as_in_the_authors_code(shape):
    """Against OpenCV's border and torchvision's resize and centre crop, which the authors call."""
    from torchvision.transforms import functional as vision

    crop = np.random.default_rng(2).integers(0, 256, (*shape, 3), dtype=np.uint8)
    height, width = shape
    tall, wide = max(width - height, 0) // 2, max(height - width, 0) // 2
    bordered = cv2.copyMakeBorder(crop, tall, tall, wide, wide, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    resized = vision.resize(Pillow.fromarray(bordered), 16, interpolation=vision.InterpolationMode.BICUBIC)
    wanted = np.asarray(vision.center_crop(resized, 16), np.float32).transpose(2, 0, 1) / 255

    np.testing.assert_allclose(preprocess_crop(crop, 16, SETTINGS), wanted, atol=1e-6)


def test_no_square_crop_loses_its_last_row_and_column():
    """55 of the 640 sides did: 83 * (224 / 83) is 223.99999999999997."""
    for side in (55, 71, 83, 95, 97, 107, 110, 111, 224, 640):
        white = np.full((side, side, 3), 255, np.uint8)

        assert preprocess_crop(white, 224, SETTINGS).min() == 1


def test_the_attribute_description_lifts_the_mask_it_describes():
    vague = words("the thing")

    silent = score(method(Speaker(attribute="")), vague).scores
    told = score(method(Speaker(attribute="a GREEN thing")), vague).scores

    assert int((told - silent).argmax()) == 1


def test_the_referent_itself_is_not_among_its_surroundings():
    def around(description, expression):
        return method().find_surrounding_phrases(description, ChunkParser().parse_tree(expression))

    assert around("red mug near green plate and red dog", "the red") == ["green plate"]
    assert around("a photo of mug near plate", "the mug") == ["a photo of mug", "plate"]
    assert around("", "the mug") == []


def test_the_surrounding_phrases_are_the_authors_on_a_table_of_descriptions():
    """The pairs of near nouns are given; where both take the same nouns, so must be the phrases."""

    class Recorded:
        def __init__(self, row):
            self.read = {row[key]["text"]: to_tree(row[key]) for key in ("description", "expression")}
            self.pairs = row["near"]

        def parse_tree(self, text):
            return self.read[text]

        def is_near(self, one, two):
            return [one, two] in self.pairs

    rows = read_rows("lgd_surroundings.jsonl")
    misses = []
    for row in rows:
        recorded = Recorded(row)
        chosen = replace(method(), parser=recorded, synonyms=recorded)
        referent = recorded.parse_tree(row["expression"]["text"])
        found = chosen.find_surrounding_phrases(row["description"]["text"], referent)
        assert referent.noun_phrase == row["noun_phrase"]
        misses += [row["description"]["text"]] if row["same_nouns"] and found != row["kept"] else []

    assert misses == []
    assert sum(row["same_nouns"] for row in rows) >= 50


def test_a_phrase_without_a_noun_is_near_nothing():
    parser = ChunkParser()

    assert method().find_surrounding_phrases("it near this", parser.parse_tree("it")) == ["it", "this"]
    assert method().find_surrounding_phrases("it near mug", parser.parse_tree("mug")) == ["it"]


def test_a_description_is_read_as_it_stands():
    class Exact(ChunkParser):
        def parse_tree(self, text):
            self.read = [*getattr(self, "read", []), text]
            return super().parse_tree(text)

    parser = Exact()
    chosen = replace(method(Speaker("a red thing", "Christmas Lights near the man's T-shirt")), parser=parser)

    found = score(chosen, replace(words("the red 's"), raw="The Red's"))

    assert parser.read == ["the red's", "Christmas Lights near the man's T-shirt"]
    assert found.evidence["around"] == "Christmas Lights, the man's T-shirt"


def test_the_evidence_says_what_was_told():
    found = score(method(Speaker("a small red mug", "red mug near green plate")), words("red mug"))

    assert found.evidence == {"referent": "a small red mug", "around": "green plate"}


@pytest.mark.parametrize("nothing", ["", "   ", "***", "赤いマグカップ", "🟥"])
def test_a_description_that_says_nothing_usable_costs_its_term_only(nothing):
    found = score(method(Speaker(nothing, nothing)), words("the red"))

    assert found.evidence == {"referent": "no usable description", "around": "no usable description"}
    plain = score(method(attribute_weight=0.0, surrounding_weight=0.0), words("the red"))
    np.testing.assert_allclose(found.scores, plain.scores, atol=1e-4)


def test_a_describer_that_is_down_costs_the_method_and_says_why():
    class Down(Speaker):
        def describe(self, digest, looked, prompts):
            raise DescriberError("the describer at http://x cannot be reached")

    found = score(method(Down()), words("the red"))

    assert found.skipped_reason == "the describer at http://x cannot be reached"
    assert len(found.scores) == 0


def test_a_description_of_a_thousand_words_is_left_to_the_text_network():
    long = "a red mug " * 400

    assert clean_description(long) == long.strip()
    assert len(score(method(Speaker(long)), words("the red")).scores) == 4


def test_two_expressions_get_their_own_descriptions():
    speaker = Speaker()
    chosen = method(speaker)
    scene = see_all(Image.from_pixels(squares()), make_proposals(*MASKS), chosen)

    chosen.score(scene, [words("the red"), words("the blue")])

    assert [p.split('"')[1] for p in speaker.asked] == ["the red", "the red", "the blue", "the blue"]


def test_centroids_are_centres_of_mass_row_first_and_cut_to_whole_pixels():
    mask = np.zeros((10, 20), np.bool_)
    mask[2, 4] = mask[2, 6] = mask[5, 5] = True
    other = np.zeros((10, 20), np.bool_)
    other[2, 4] = other[3, 4] = other[3, 5] = True  # 2.67, 4.33

    assert compute_centroids(np.array([mask, other])).tolist() == [[3, 5], [2, 4]]


def test_two_masks_in_one_row_of_whole_pixels_are_both_below_the_median():
    """At 2.3, 2.7 and 6 rows the median would be 2.7, and the first alone at the top."""
    masks = [
        rectangle((20, 20), 0, 2, 4, 3),
        rectangle((20, 20), 8, 2, 12, 3),
        rectangle((20, 20), 0, 5, 4, 8),
    ]
    masks[0][3, 0], masks[1][3, 8:12] = True, True

    assert compute_centroids(np.array(masks))[:, 0].tolist() == [2, 2, 6]


@pytest.mark.parametrize(
    ("rule", "text", "side"),
    [
        ("released", "left green", "left"),
        ("plain words", "left green", "left"),
        ("off", "left green", None),
        ("released", "bottom green", None),
        ("plain words", "bottom green", "bottom"),
    ],
)
def test_the_rule_of_the_rectifier_is_chosen_by_name(rule, text, side):
    """The green square is at the top right, and the second word is the head of both."""

    class LastIsHead(ChunkParser):
        def parse_tree(self, text):
            nodes = tuple(Node(word.text, "NOUN", word.start, 1) for word in words(text).words)
            return Tree(text, nodes, ((0, 2),), 0)

    found = score(replace(method(Speaker("", ""), rectifier=rule), parser=LastIsHead()), words(text))

    assert found.evidence.get("moved to") == side
    assert (int(found.scores.argmax()) == 1) == (side is None)


def test_the_papers_rules_are_the_released_ones_and_ours_go_by_another_name():
    assert (LGD_PAPER.rectifier, LGD_PAPER.synonyms) == ("released", "released")
    assert replace(LGD_PLAIN_WORDS, rectifier="released", synonyms="released") == LGD_PAPER
