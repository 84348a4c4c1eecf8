"""A project is filled with what people disagree on; running again doubles nothing."""

import json

import pytest

from ris import label_config
from ris.errors import InputError, LabelStudioError
from ris.labelstudio.api.sync import read_project
from ris.labelstudio.config.control import read_controls
from ris.service.adjudicating import ANSWERS_VERSION, AdjudicationService, open_adjudication_project
from ris.store.adjudications import find_adjudications
from ris.store.history import find_project_keys
from tests.builders.adjudicated_studio import AdjudicatedStudio
from tests.builders.answers import paint
from tests.builders.disputes import disagree, record_answer, task_of
from tests.builders.records import NOW, TASK

CONFIG = label_config.read("adjudicate_brush.xml")
LEFT, RIGHT, BOTH = (paint(*span, (9, 14)) for span in ((0, 5), (7, 12), (0, 12)))


@pytest.fixture
def studio():
    return AdjudicatedStudio()


@pytest.fixture
def number(studio):
    return open_adjudication_project(studio, "to settle", CONFIG)


@pytest.fixture
def fill(database, studio, number):
    service = AdjudicationService(database, studio, now=lambda: NOW)
    return lambda most=100, source=TASK.project: service.fill(source, read_project(studio, number), most=most)


def get_adjudications(database, studio, number):
    with database.begin() as session:
        return find_adjudications(session, read_project(studio, number).key)


def settle(database, studio, number, source, mask):
    made = next(a for a in get_adjudications(database, studio, number) if a.source.task_id == source)
    record_answer(database, made.task, 9, mask, annotation_id=900 + source)


def test_a_project_is_made_once_and_shows_the_worst_first(studio, number):
    assert open_adjudication_project(studio, "to settle", CONFIG) == number
    assert open_adjudication_project(studio, str(number), CONFIG) == number
    assert studio.projects[number]["sampling"] == "Uncertainty sampling"  # the lowest score comes first


def test_of_several_projects_of_one_title_one_must_be_named(studio, number):
    other = studio.add_project(title="to settle")["id"]

    with pytest.raises(InputError, match=rf"several projects have the title .* \({number}, {other}\)"):
        open_adjudication_project(studio, "to settle", CONFIG)


def test_the_tasks_on_which_people_disagree_are_added_worst_first(database, studio, number, fill):
    disagree(database, 1, LEFT, LEFT)
    disagree(database, 2, LEFT, BOTH)
    disagree(database, 3, LEFT, RIGHT)
    disagree(database, 4, LEFT, None)
    disagree(database, 5, LEFT, "skipped")

    found = fill()

    added = [task["data"]["image"] for task in studio.tasks.values()]
    assert added == [task_of(n).image_url for n in (3, 4, 2)]
    assert (found.n_disputed, found.n_added, found.n_left) == (3, 3, 0)
    scores = [studio.of(task)[0]["score"] for task in studio.tasks]
    assert scores == [0, 0, round(5 / 12, 4)]
    assert studio.projects[number]["model_version"] == ANSWERS_VERSION
    with database.begin() as session:
        assert read_project(studio, number).key in find_project_keys(session)


def test_each_different_answer_is_an_alternative_and_nothing_tells_whose_it_is(database, studio, fill):
    for person, mask in ((31, LEFT), (32, RIGHT), (33, LEFT), (34, None)):
        record_answer(database, task_of(1), person, mask)

    fill()

    ((task, body),) = studio.tasks.items()
    (prediction,) = studio.of(task)
    assert len(prediction["result"]) == 2
    told = json.dumps([body["data"], body["meta"], prediction]).replace(str(prediction["result"]), "")
    assert not any(str(person) in told for person in ("annotator", "completed_by", "created_by"))
    for region in prediction["result"]:
        assert "score" not in region
        assert region["meta"].keys() == {"text", "rank", "method", "request", "version"}
        assert region["meta"]["method"] == ""
    assert {region["meta"]["text"][0] for region in prediction["result"]} == {"1st of 2", "2nd of 2"}


def test_the_order_of_the_alternatives_is_that_of_nobody(database, studio, number, fill):
    for n in range(1, 41):
        disagree(database, n, LEFT, RIGHT)

    fill()

    firsts = [one.alternatives[0].answers for one in get_adjudications(database, studio, number)]
    n_first = sum(rows[0] % 2 for rows in firsts)  # the first person's answers have odd ids in SQL
    assert 8 <= n_first <= 32


def test_a_second_run_adds_what_is_new_and_keeps_what_is_settled(database, studio, number, fill):
    disagree(database, 1, LEFT, RIGHT)
    disagree(database, 2, LEFT, RIGHT)
    fill()
    settle(database, studio, number, 1, LEFT)
    disagree(database, 3, LEFT, RIGHT)
    before = dict(studio.predictions)

    found = fill()
    again = fill()

    assert (found.n_added, found.n_waiting, found.n_settled, found.n_changed) == (1, 1, 1, 0)
    assert (again.n_added, again.n_waiting, again.n_settled, again.n_changed) == (0, 2, 1, 0)
    assert len(studio.tasks) == len(studio.predictions) == 3
    assert before.items() <= studio.predictions.items()


def test_only_so_many_are_added_and_the_next_run_goes_on(database, studio, fill):
    disagree(database, 1, LEFT, BOTH)
    disagree(database, 2, LEFT, RIGHT)

    first, second = fill(most=1), fill(most=1)

    assert (first.n_added, first.n_left, second.n_added, second.n_left) == (1, 1, 1, 0)
    assert [task["data"]["image"][-5] for task in studio.tasks.values()] == ["2", "1"]


def test_a_changed_answer_is_offered_anew_unless_the_task_is_settled(database, studio, number, fill):
    for n in (1, 2):
        disagree(database, n, LEFT, RIGHT)
    fill()
    settle(database, studio, number, 1, LEFT)
    for n in (1, 2):
        record_answer(database, task_of(n), 2, None, minutes=5)

    found = fill()

    assert (found.n_changed, found.n_settled, found.n_waiting) == (1, 1, 0)
    shown = {studio.tasks[task]["data"]["image"][-5]: studio.of(task) for task in studio.tasks}
    assert [len(one["result"]) for one in (*shown["1"], *shown["2"])] == [2, 1]
    assert fill().n_changed == 0


def test_a_task_on_which_people_agree_by_now_is_counted(database, fill):
    disagree(database, 1, LEFT, RIGHT)
    fill()
    record_answer(database, task_of(1), 2, LEFT, minutes=5)

    assert (fill().n_disputed, fill().n_agreed) == (0, 1)


@pytest.mark.parametrize("fails_at", ["/import/predictions", "/import"])
def test_a_run_that_was_cut_off_is_completed_by_the_next(database, studio, fill, fails_at):
    disagree(database, 1, LEFT, RIGHT)
    studio.fails_at = fails_at
    with pytest.raises(LabelStudioError, match="does not answer"):
        fill()

    fill()

    assert len(studio.tasks) == len(studio.predictions) == 1
    assert fill().n_waiting == 1


def test_a_task_that_was_imported_and_not_noted_is_found_by_its_mark(database, studio, number, fill):
    disagree(database, 1, LEFT, RIGHT)
    fill()
    mark = next(iter(studio.tasks.values()))["meta"]
    studio.predictions.clear()
    studio.tasks.clear()
    studio._add_task(number, {"data": {}, "meta": mark})
    studio.tasks[888] = {**studio.tasks.pop(100), "id": 888}

    found = fill()

    assert (found.n_added, found.n_changed, list(studio.tasks)) == (0, 1, [888])
    assert [one["task"] for one in studio.predictions.values()] == [888]


def test_a_task_that_was_deleted_there_is_added_again(database, studio, fill):
    disagree(database, 1, LEFT, RIGHT)
    fill()
    studio.tasks[99] = studio.tasks.pop(100) | {"meta": {}}

    assert fill().n_added == 1


def test_more_masks_than_labels_are_cut_to_the_most_frequent(database, studio, fill):
    for person in range(9):
        start = min(person, 7)
        record_answer(database, task_of(1), person, paint(start, start + 1, (9, 14)))

    found = fill()

    (prediction,) = studio.predictions.values()
    assert (found.n_cut, len(prediction["result"])) == (1, 6)


def test_a_label_config_without_a_choice_or_an_ml_backend_is_refused(database, studio, number, fill):
    studio.ml = [{"id": 1}]
    with pytest.raises(InputError, match="has an ML backend"):
        fill()
    studio.projects[number]["label_config"] = label_config.read("tabs_brush.xml")
    with pytest.raises(InputError, match="shows one mask at a time"):
        fill()


def test_what_settles_others_is_not_settled_again(database, studio, number, fill):
    disagree(database, 1, LEFT, RIGHT)
    fill()
    own = read_project(studio, number).key

    with pytest.raises(InputError, match="name one project"):
        fill(source=own)
    third = studio.add_project(title="third", label_config=CONFIG)["id"]
    service = AdjudicationService(database, studio, now=lambda: NOW)
    with pytest.raises(InputError, match="settles what people disagree on in another one"):
        service.fill(own, read_project(studio, third), most=1)


def test_the_shipped_label_config_has_a_key_for_each_of_six_masks():
    controls = read_controls(CONFIG)

    assert controls.pick.rank_labels == ("1st", "2nd", "3rd", "4th", "5th", "6th")
    assert (controls.pick.own_choice, controls.no_referent.value) == ("drawn by me", "object not in image")
    assert len(set(CONFIG.split('hotkey="')[1:])) == len(CONFIG.split('hotkey="')[1:]) == 8
