from dataclasses import replace

import pytest

from ris.batch.plan import group_tasks
from ris.batch.work import Labeller, VersionedCoefficients
from ris.errors import DescriberError, WeightsError
from ris.referring.ranking import Coefficients, Fusion
from tests.batch.fakes import MAKE, MAKE_FETCHER, MAKE_NOTHING, fetch, load_pipeline, tasks
from tests.builders.fakes import WordParser
from tests.builders.late import Says, ShortSightedProposer, make_locating_pipeline, say_boxes


def label(labeller, group):
    return labeller((group, fetch(group.tasks[0])))


def test_an_image_is_seen_once_and_each_expression_has_its_reference():
    (group,) = group_tasks(tasks("squares", "squares"))

    found = label(MAKE(), group)

    assert len(found.references) == 2
    assert [len(r.suggestions) for r in found.references] == [3, 3]
    assert (found.size, found.failures) == ((32, 32), ("", ""))
    assert len(found.masks) >= 3


def test_an_image_that_is_not_there_is_its_sentence():
    (group,) = group_tasks(tasks("gone", "gone"))

    assert MAKE_FETCHER()(group) == "cannot fetch the image of task 1: Label Studio answered 404"


def test_an_expression_that_fails_costs_its_own_task(monkeypatch):
    def parse(parser, expression):
        if expression == "the bad":
            raise DescriberError("the describer is down")
        return right(parser, expression)

    right = WordParser.parse
    monkeypatch.setattr(WordParser, "parse", parse)
    bad, good = tasks("squares", expression="the bad"), tasks("squares")
    (group,) = group_tasks([*good, *bad, *good])

    found = label(MAKE(), group)

    assert found.failures == ("", "the describer is down", "")
    assert [reference is None for reference in found.references] == [False, True, False]


def test_what_was_learned_ranks_under_its_own_version():
    (group,) = group_tasks(tasks("squares"))
    learned = VersionedCoefficients(Coefficients(Fusion()), "fake-1+2")

    (reference,) = label(Labeller(load_pipeline, learned), group).references

    assert reference.version == "fake-1+2"
    assert {s.version for s in reference.suggestions} == {"fake-1+2"}


def test_networks_that_cannot_be_loaded_say_why():
    with pytest.raises(WeightsError, match="file x is missing"):
        MAKE_NOTHING()


def test_what_a_model_finds_in_the_image_of_a_task_is_proposed_for_that_task():
    vlm = Says(lambda question: say_boxes((2, 2, 10, 10), side=32) if "red" in question.prompt else "none")
    pipeline = make_locating_pipeline(vlm, ShortSightedProposer("red"))
    (group,) = group_tasks(
        [replace(tasks("x")[0], task_id=i, expression=e) for i, e in enumerate(["red", "blue"])]
    )

    found = label(Labeller(lambda: pipeline, None), group)

    assert [len(one.late) for one in found.references] == [1, 0]
    assert len(found.masks) == 3
