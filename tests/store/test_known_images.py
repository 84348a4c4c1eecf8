from dataclasses import replace
from datetime import timedelta

from ris.core.types import Verdict
from ris.store.known_images import choose_known_image, find_certain_size, find_known_images
from ris.store.records import add_alternatives, add_task_image
from tests.builders.records import NOW, SIZE, TASK, add, correction, keep, read

OTHER = replace(TASK, project="2.1800000000", task_id=70)
HOMES = ("http://localhost:8080",)


def seen(database, task=TASK, digest="ab" * 32, size=SIZE, seconds=0):
    with database.begin() as session:
        add_task_image(session, task, digest, size, now=NOW + timedelta(seconds=seconds))


def find(database, *tasks, homes=()):
    with database.begin() as session:
        return [[p.digest[:2] for p in found] for found in find_known_images(session, tasks, homes)]


def test_a_task_that_was_never_asked_about_has_the_picture_of_its_address(database):
    keep(database)
    sibling = replace(TASK, task_id=8, expression="the right mug")

    assert find(database, sibling, OTHER, replace(TASK, image_url="/data/upload/1/b.png")) == [
        ["ab"], ["ab"], [],
    ]  # fmt: skip


def test_a_picture_of_the_own_task_is_nearer_than_one_of_the_project_and_that_than_any_other(database):
    seen(database, OTHER, "cd" * 32)
    seen(database, replace(TASK, task_id=8), "ef" * 32)
    keep(database)

    (digests,) = find(database, TASK)

    assert digests[0] == "ab"
    assert digests[-1] == "cd"


def test_label_studios_address_before_its_path_is_the_same_path(database):
    seen(database)
    absolute = replace(OTHER, image_url="http://localhost:8080/data/upload/1/a.png")

    assert find(database, absolute) == [[]]
    assert find(database, absolute, homes=HOMES) == [["ab"]]


def test_a_local_path_of_another_project_is_another_file(database):
    here, there = replace(TASK, image_url="images/1.png"), replace(OTHER, image_url="images/1.png")
    seen(database, here)

    assert find(database, here, there) == [["ab"], []]


def test_of_a_replaced_picture_the_one_counts_that_the_mask_fits(database):
    seen(database, digest="ab" * 32, size=SIZE, seconds=0)
    seen(database, digest="cd" * 32, size=(20, 20), seconds=5)
    with database.begin() as session:
        (found,) = find_known_images(session, [TASK])

    assert choose_known_image(found, (20, 20), NOW).digest == "cd" * 32
    assert choose_known_image(found, SIZE, NOW + timedelta(seconds=9)).digest == "ab" * 32
    assert choose_known_image(found, None, NOW + timedelta(seconds=9)).digest == "cd" * 32
    assert choose_known_image(found, None, NOW - timedelta(seconds=9)).digest == "ab" * 32
    assert choose_known_image((), None, NOW) is None


def test_decisions_of_one_address_have_one_picture_whoever_was_asked(database):
    """Four expressions of one image, two of them answered without predictions."""
    tasks = [replace(TASK, task_id=i, expression=f"thing {i}") for i in range(4)]
    for task in tasks[:2]:
        keep(database, task)
    nothing = correction(3, verdict=Verdict.NO_REFERENT, rank=None, task=tasks[3])
    add(database, *(correction(i, task=task) for i, task in enumerate(tasks[:3])), nothing)

    found = read(database)

    assert {d.image_digest for d in found} == {"ab" * 32}
    assert {d.image_size for d in found} == {SIZE}


def test_many_decisions_are_looked_up_in_few_queries(database):
    from sqlalchemy import event

    for i in range(30):
        keep(database, replace(TASK, task_id=i))
    add(database, *(correction(i, task=replace(TASK, task_id=i)) for i in range(30)))
    asked = []
    event.listen(database._engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    assert len(read(database)) == 30
    assert len(asked) < 10


def test_what_is_seen_twice_is_kept_once(database):
    for _ in range(2):
        with database.begin() as session:
            add_alternatives(session, TASK, "ab" * 32, SIZE, (), version="v1", method_scores=(), now=NOW)

    assert find(database, OTHER) == [["ab"]]


def size_of(database, task):
    with database.begin() as session:
        return find_certain_size(find_known_images(session, [task])[0])


def test_a_size_is_known_where_all_pictures_of_the_task_and_else_of_the_project_have_it(database):
    sibling = replace(TASK, task_id=8)
    seen(database)
    assert size_of(database, sibling) == SIZE

    seen(database, digest="cd" * 32, size=(SIZE[0] + 1, SIZE[1]))
    assert size_of(database, sibling) is None


def test_a_picture_of_another_project_says_nothing_of_the_size(database):
    seen(database, OTHER)

    assert size_of(database, TASK) is None
