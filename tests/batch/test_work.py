from dataclasses import replace

import pytest

from ris.batch.plan import group_tasks
from ris.batch.work import Labeller, VersionedCoefficients
from ris.core.types import Image
from ris.errors import WeightsError
from ris.referring.ranking import Coefficients, Fusion
from tests.batch.fakes import MAKE, MAKE_NOTHING, build, tasks
from tests.builders.fakes import squares
from tests.builders.late import Says, ShortSightedProposer, make_locating_pipeline, say_boxes


def test_an_image_is_seen_once_and_each_expression_has_its_reference():
    (group,) = group_tasks(tasks("squares", "squares"))

    found = MAKE().work(group)

    assert len(found.references) == 2
    assert [len(r.suggestions) for r in found.references] == [3, 3]
    assert (found.size, found.failures) == ((32, 32), ("", ""))
    assert len(found.masks) >= 3


def test_an_image_that_is_not_there_fails_its_tasks_with_its_sentence():
    (group,) = group_tasks(tasks("gone", "gone"))

    found = MAKE().work(group)

    assert found.references == ()
    assert found.failures == ("cannot fetch the image of task 1: Label Studio answered 404",) * 2


def test_what_was_learned_ranks_under_its_own_version():
    (group,) = group_tasks(tasks("squares"))
    learned = VersionedCoefficients(Coefficients(Fusion()), "fake-1+2")

    (reference,) = Labeller(build, learned).work(group).references

    assert reference.version == "fake-1+2"
    assert {s.version for s in reference.suggestions} == {"fake-1+2"}


def test_networks_that_cannot_be_loaded_say_why():
    with pytest.raises(WeightsError, match="file x is missing"):
        MAKE_NOTHING()


def test_what_a_model_finds_in_the_image_of_a_task_is_proposed_for_that_task():
    vlm = Says(lambda question: say_boxes((2, 2, 10, 10), side=32) if "red" in question.prompt else "none")
    pipeline = make_locating_pipeline(vlm, ShortSightedProposer("red"))
    labeller = Labeller(lambda: (pipeline, lambda task: Image.from_pixels(squares())), None)
    (group,) = group_tasks(
        [replace(tasks("x")[0], task_id=i, expression=e) for i, e in enumerate(["red", "blue"])]
    )

    found = labeller.work(group)

    assert [len(one.late) for one in found.references] == [1, 0]
    assert len(found.masks) == 3
