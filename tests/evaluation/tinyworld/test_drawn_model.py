import json

import numpy as np
import pytest

from ris.evaluation.tinyworld.drawn_model import DrawnModel, resize_picture
from ris.pretrained.endpoint.picture import encode_jpeg
from ris.referring.grounding.question import Question
from ris.referring.marks import draw_marks
from tests.builders.masks import rectangle

SIZE = (60, 80)
PIXELS = np.full((*SIZE, 3), 90, np.uint8)
CUP, CAT = (8, 6, 24, 30), (40, 30, 72, 54)
QUADRANTS = [rectangle(SIZE, *box) for box in (CUP, CAT, (50, 2, 70, 20))]


def make_model(right_rate):
    model = DrawnModel(right_rate)
    model.tell(PIXELS, {"the cup": CUP, "the dog": None}, [CUP, CAT])
    return model


def locate(model, words):
    found = json.loads(model.ask(Question(b"jpeg", f'Where is "{words}"?', "t")).text)
    return [tuple(one["bbox_2d"]) for one in found]


def choose(model, words, masks):
    picture = encode_jpeg(draw_marks(PIXELS, masks, (672, 896)))
    prompt = f'Objects are numbered from 1 to {len(masks)}. Which is "{words}"?'
    return int(model.ask(Question(picture, prompt, "t")).text)


def test_a_model_that_is_always_right_says_where_things_are_and_that_others_are_not():
    model = make_model(1.0)

    assert locate(model, "the cup") == [(100, 100, 300, 500)]
    assert locate(model, "the dog") == []
    assert model.n_questions == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_it_chooses_the_mark_of_the_referent_whatever_its_number(order):
    masks = [QUADRANTS[i] for i in order]

    assert choose(make_model(1.0), "the cup", masks) == order.index(0) + 1
    assert choose(make_model(1.0), "the dog", masks) == 0
    assert choose(make_model(1.0), "the cup", QUADRANTS[1:]) == 0


def test_a_model_that_is_never_right_is_never_right():
    model = make_model(0.0)

    assert (100, 100, 300, 500) not in [box for i in range(30) for box in locate(model, f"the cup {i}")]
    assert all(len(locate(model, f"the dog {i}")) == 1 for i in range(10))
    assert choose(model, "the cup", QUADRANTS) != 1


def test_the_rate_is_that_of_the_questions_and_each_is_answered_the_same_again():
    model = make_model(0.6)
    found = [locate(model, f"the cup {i}") for i in range(400)]

    assert np.mean([one == [(100, 100, 300, 500)] for one in found]) == pytest.approx(0.6, abs=0.08)
    assert found == [locate(model, f"the cup {i}") for i in range(400)]


def test_a_picture_is_resized_to_height_and_width():
    assert resize_picture(PIXELS, (30, 20)).shape == (30, 20, 3)
