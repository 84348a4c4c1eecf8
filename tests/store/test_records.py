from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from ris.core.proposals import LateProposal
from ris.core.types import Absence, MethodScores, Task
from ris.store.records import (
    add_alternatives,
    find_alternatives,
    find_alternatives_of_tasks,
    find_answered_tasks,
    find_explanations,
    find_proposals,
    save_project,
)
from ris.store.schema import ProjectRow, ProposalsRow
from tests.builders.records import NOW, SIZE, TASK, keep, mask, offers


def find(database, task=TASK, version="v1"):
    with database.begin() as session:
        return find_alternatives(session, task, version)


def test_suggestions_come_back_exactly_as_they_were_offered(database):
    keep(database)

    assert find(database) == offers()


def test_a_task_that_was_never_computed_is_told_from_one_without_alternatives(database):
    assert find(database) is None
    keep(database, given=())

    assert find(database) == ()


def test_alternatives_of_many_tasks_are_those_of_each_alone(database):
    tasks = [Task(n, TASK.project, TASK.image_url, TASK.expression) for n in range(1, 6)]
    for task in tasks[:3]:
        keep(database, task)
    keep(database, tasks[3], version="v2")
    keep(database, tasks[4], given=())
    changed = Task(1, TASK.project, TASK.image_url, "the right mug")
    elsewhere = Task(1, "1.1800000000", TASK.image_url, TASK.expression)

    with database.begin() as session:
        found = find_alternatives_of_tasks(session, TASK.project, [*tasks, changed], "v1")
        answered = find_answered_tasks(session, [*tasks, changed, elsewhere], "v1")
    assert found == {task: find(database, task) for task in tasks[:3]}
    assert answered == {*tasks[:3], tasks[4]}


def test_a_second_time_changes_nothing(database):
    keep(database)
    keep(database, given=offers(count=1))

    assert find(database) == offers()


def test_three_people_who_open_a_task_at_once_leave_one_set(database):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: keep(database), range(16)))

    assert find(database) == offers()


def test_a_task_whose_words_or_image_changed_is_computed_anew(database):
    keep(database)

    assert find(database, Task(7, TASK.project, TASK.image_url, "the right mug")) is None
    assert find(database, Task(7, TASK.project, "/data/upload/1/b.png", TASK.expression)) is None
    assert find(database, Task(7, "1.1800000000", TASK.image_url, TASK.expression)) is None


def test_offers_of_every_version_are_kept(database):
    keep(database, version="v1")
    keep(database, version="v2")

    assert find(database, version="v1") == offers("v1")
    assert find(database, version="v2") == offers("v2")


def test_the_last_setup_of_a_project_counts(database):
    for config, extra in (("<View/>", {"a": 1}), ("<View><Image/></View>", {})):
        with database.begin() as session:
            save_project(session, "1.1", label_config=config, extra_params=extra, now=NOW)

    with database.begin() as session:
        row = session.get_one(ProjectRow, "1.1")
        assert (row.label_config, row.extra_params, row.first_seen) == ("<View><Image/></View>", {}, NOW)


def test_what_every_method_went_by_is_kept_with_its_heat_map(database):
    heat = np.arange(9, dtype=np.uint8).reshape(3, 3)
    looked = MethodScores("iterprime", np.ones(3, np.float32), evidence={"primary word": "mug"}, heat=heat)
    down = MethodScores("lgd", skipped_reason="the describer at http://x is down")
    keep(database, method_scores=(looked, down))

    with database.begin() as session:
        told = find_explanations(session, TASK, "v1")
        unknown = find_explanations(session, TASK, "v2")

    assert [e.method for e in told] == ["iterprime", "lgd"]
    assert told[0].evidence == {"primary word": "mug"}
    np.testing.assert_array_equal(told[0].heat, heat)
    assert told[1].skipped_reason == "the describer at http://x is down"
    assert unknown == ()


def test_proposals_and_every_methods_scores_are_kept_once_for_all_expressions(database):
    masks = [mask(1), mask(2)]
    other = Task(8, TASK.project, TASK.image_url, "the other mug")
    for task in (TASK, other):
        with database.begin() as session:
            add_alternatives(
                session, task, "ab" * 32, SIZE, offers(), version="v1", now=NOW, proposals=masks,
                method_scores=[MethodScores("lgd", np.array([0.1, -2], np.float32))],
            )  # fmt: skip

    with database.begin() as session:
        assert find_proposals(session, TASK, "v1") == find_proposals(session, other, "v1") == tuple(masks)
        assert session.query(ProposalsRow).count() == 1
        (said,) = find_explanations(session, TASK, "v1")
    assert said.scores.tolist() == np.array([0.1, -2], np.float32).tolist()


def test_the_places_of_shuffled_alternatives_come_back(database):
    shuffled = tuple(replace(o, place=place) for o, place in zip(offers(), (2, 0, 1), strict=True))
    keep(database, given=shuffled)

    assert find(database) == shuffled


LATE = (LateProposal(mask(8), "grounder"), LateProposal(mask(9), "grounder"))


def test_late_proposals_are_kept_with_their_task_and_method(database):
    first = replace(offers()[0], suggestion=replace(offers()[0].suggestion, late_method="grounder"))
    other = Task(8, TASK.project, TASK.image_url, "the other mug")
    for task, late in ((TASK, LATE), (other, ())):
        with database.begin() as session:
            add_alternatives(
                session, task, "ab" * 32, SIZE, [first, *offers()[1:]], version="v1", now=NOW,
                proposals=[mask(1)], late=late, method_scores=[],
            )  # fmt: skip

    with database.begin() as session:
        assert find_proposals(session, TASK, "v1") == (mask(1), mask(8), mask(9))
        assert find_proposals(session, other, "v1") == (mask(1),)
        assert session.query(ProposalsRow).count() == 1
        stored = find_alternatives(session, TASK, "v1")
    assert [one.suggestion.late_method for one in stored] == ["grounder", "", ""]


def test_late_proposals_of_an_image_without_others_are_kept(database):
    with database.begin() as session:
        add_alternatives(
            session, TASK, "ab" * 32, SIZE, offers(), version="v1", now=NOW, late=LATE[:1], method_scores=[],
        )  # fmt: skip
        assert find_proposals(session, TASK, "v1") == (mask(8),)


def test_the_chance_of_no_referent_comes_back_with_the_alternatives(database):
    doubted = [
        replace(one, suggestion=replace(one.suggestion, absence=Absence(0.7, is_prechosen=True)))
        for one in offers()
    ]
    keep(database, given=doubted)

    with database.begin() as session:
        found = find_alternatives(session, TASK, "v1")
    assert {one.suggestion.absence for one in found} == {Absence(0.7, is_prechosen=True)}


def test_what_a_skipped_method_says_is_kept_with_the_reason(database):
    said = MethodScores("verifier", skipped_reason="none of them", evidence={"questions": "2"}, absence=1.0)
    keep(database, method_scores=(said, MethodScores("lgd", skipped_reason="down")))

    with database.begin() as session:
        lgd, verifier = find_explanations(session, TASK, "v1")
    assert (lgd.skipped_reason, lgd.evidence) == ("down", {})
    assert (verifier.skipped_reason, verifier.evidence) == ("none of them", {"questions": "2"})
