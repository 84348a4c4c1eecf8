"""Imported predictions are found by their region ids, and only for the same image."""

from dataclasses import replace

import pytest

from ris.core.types import Annotation
from ris.store.alternatives import find_answer_alternatives
from ris.store.records import add_alternatives, add_task_image
from tests.builders.records import NOW, SIZE, TASK, add, correction, keep, offers, read

FILE = replace(TASK, project="file.0123456789abcdef", task_id=1)


def named(task, *ids):
    return Annotation(1, task, NOW, None, ids)


def find(database, *annotations):
    with database.begin() as session:
        return find_answer_alternatives(session, annotations)


def test_what_was_offered_for_the_task_comes_newest_version_first(database):
    keep(database, version="v1")
    keep(database, version="v2")

    (found,) = find(database, named(TASK, "v1-1"))

    assert [o.region_id for o in found] == ["v2-0", "v2-1", "v2-2", "v1-0", "v1-1", "v1-2"]


def test_an_offer_of_another_task_is_found_by_its_id_with_those_beside_it(database):
    keep(database, FILE)

    assert find(database, named(TASK, "v1-1"), named(TASK)) == [offers(), ()]


def test_the_offers_of_the_own_task_come_before_those_of_another(database):
    keep(database, FILE, "v1")
    keep(database, TASK, "v2")

    assert find(database, named(TASK, "v2-0", "v1-0")) == [offers("v2")]
    assert find(database, named(TASK, "v1-0")) == [offers("v1")]


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(FILE, expression="the right mug"),
        replace(FILE, image_url="/data/upload/1/b.png"),
    ],
    ids=["other words", "another address, and nobody knows what lies at this one"],
)
def test_an_id_of_other_words_or_of_another_picture_finds_nothing(database, elsewhere):
    keep(database, elsewhere)

    assert find(database, named(TASK, "v1-0")) == [()]


def test_an_id_of_a_picture_that_is_known_to_be_another_finds_nothing(database):
    keep(database, FILE)
    with database.begin() as session:
        add_alternatives(session, TASK, "cd" * 32, SIZE, (), version="v2", method_scores=(), now=NOW)

    assert find(database, named(TASK, "v1-0")) == [()]


def test_the_same_file_at_another_address_is_the_same_picture(database):
    keep(database, replace(FILE, image_url="s3://shop/a.png"))
    with database.begin() as session:
        add_task_image(session, TASK, "ab" * 32, SIZE, now=NOW)

    assert find(database, named(TASK, "v1-0")) == [offers()]


def test_where_nobody_has_seen_the_file_its_reference_must_be_the_same_letter_by_letter(database):
    """The local image of a file of tasks: its path is not valid elsewhere, but it has the same name."""
    here, there = (replace(one, image_url="images/a.png") for one in (TASK, FILE))
    keep(database, there)

    assert find(database, named(here, "v1-0")) == [offers()]
    assert find(database, named(replace(here, image_url="images/./a.png"), "v1-0")) == [()]


def test_an_id_that_no_offer_can_have_is_nobodys(database):
    keep(database, FILE)

    assert find(database, named(TASK, "\ud83d", "左", "")) == [()]


def test_a_decision_on_an_imported_offer_keeps_what_stood_beside_it(database):
    keep(database, FILE)
    add(database, correction(rank=0))  # names "v1-0", which was offered for the file's task

    (decision,) = read(database)

    assert decision.alternatives == offers()
