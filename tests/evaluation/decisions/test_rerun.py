import numpy as np
import pytest

from ris.core.types import Image, Verdict
from ris.errors import ImageUnreachable, InputError
from ris.evaluation.decisions.rerun import compare_reruns, isolate_method, rerun
from ris.referring.spatial import Spatial
from tests.builders.evaluated import make_decision
from tests.builders.fakes import squares
from tests.builders.late import Says, ShortSightedProposer, make_locating_pipeline, say_boxes
from tests.builders.services import make_pipeline

RED = (squares() == (255, 0, 0)).all(-1)
BLUE = (squares() == (0, 0, 255)).all(-1)


def decision(mask, expression, number=1, image="squares", verdict=Verdict.REDRAWN):
    return make_decision(verdict, mask, offers=(), number=number, image=image, expression=expression)


class Fetch:
    def __init__(self):
        self.times = 0

    def __call__(self, task):
        self.times += 1
        if task.image_url == "gone":
            raise ImageUnreachable("cannot fetch the image of task 3: it is gone")
        return Image.from_pixels(squares())


def test_what_would_be_offered_now_is_compared_on_the_same_decisions():
    fetch = Fetch()
    found = list(rerun(make_pipeline(), [decision(RED, "the red"), decision(BLUE, "the red", 2)], fetch))

    assert [one.after[0] for one in found] == pytest.approx([1.0, 0.0])
    assert fetch.times == 1
    then, now, above = compare_reruns(found)["mean IoU, top 1"]
    assert (then.mean, now.mean, above.mean, above.count) == (0, 0.5, 0.5, 2)


def test_an_image_that_is_gone_is_a_miss_with_its_reason():
    found = list(
        rerun(make_pipeline(), [decision(RED, "the red", 3, "gone"), decision(RED, "the red")], Fetch())
    )

    assert [one.reason for one in found] == ["cannot fetch the image of task 3: it is gone", ""]
    assert compare_reruns(found)["P@0.5, top 1"][1].mean == 0.5


def test_one_image_after_another_is_read_from_a_stream_of_decisions():
    read = []

    def stream():
        for number, image in enumerate(("a", "a", "b"), start=1):
            read.append(number)
            yield decision(RED, "the red", number, image)

    next(rerun(make_pipeline(), stream(), Fetch()))

    assert read == [1, 2, 3]  # the third tells that the first image is complete
    assert len(list(rerun(make_pipeline(), stream(), fetch := Fetch()))) == 3
    assert fetch.times == 2


def test_only_decisions_that_say_which_mask_is_meant_are_run_again():
    none = make_decision(Verdict.NO_REFERENT)
    skipped = make_decision(Verdict.SKIPPED, np.ones((10, 10), np.bool_))

    assert list(rerun(make_pipeline(), [none, skipped], Fetch())) == []


def test_one_method_can_vote_alone_and_one_that_is_not_there_is_refused():
    pipeline = make_pipeline()
    (name,) = [method.name for method in pipeline.methods]

    assert isolate_method(pipeline, name).ranking.weights == {name: 1.0}
    with pytest.raises(InputError, match=f"there is no method 'lgd'; there are {name}"):
        isolate_method(pipeline, "lgd")
    assert Spatial().name != name


def test_late_proposals_count_after_a_rerun():
    wanted = np.zeros((32, 32), np.bool_)
    wanted[2:10, 2:10] = True
    seen = [decision(wanted, "the red")]
    proposer = ShortSightedProposer("red")
    pipeline = make_locating_pipeline(Says(say_boxes((2, 2, 10, 10), side=32)), proposer)

    (found,) = rerun(pipeline, seen, Fetch())
    (deaf,) = rerun(make_locating_pipeline(Says("none"), proposer), seen, Fetch())

    assert found.after[0] == 1
    assert max(deaf.after, default=0) == 0
