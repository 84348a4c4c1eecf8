"""Gold tasks are mixed in at a share, and look like all others."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris import label_config
from ris.core.rle import encode_rle
from ris.datasets.entry import Entry
from ris.errors import InputError, LabelStudioError
from ris.labelstudio.api.listing import fetch_tasks
from ris.labelstudio.api.sync import read_project
from ris.labelstudio.config.control import read_controls
from ris.service.gold import GoldService, KnownAnswer, make_gold_plan, select_known
from ris.store.gold import find_gold_tasks
from tests.builders.adjudicated_studio import AdjudicatedStudio
from tests.builders.answers import paint
from tests.builders.records import NOW

CONFIG = label_config.read("pick_brush.xml")
CONTROLS = read_controls(CONFIG)
KEY = "5.1767225600"
MASK = encode_rle(paint(0, 4))


def known_answers(count, first=0):
    entries = [Entry(f"cup {n}", f"/{n}.png", None, MASK, True, "") for n in range(first, first + count)]
    return select_known(entries, "known.json")


def list_task(number, *, is_labeled=False, **data):
    shown = {"image": f"/{number}.png", "expression": f"cup {number}", **data}
    return {"id": number + 100, "data": shown, "is_labeled": is_labeled}


def plan_of(known, tasks, *, gold=(), share=0.1, seed=0):
    return make_gold_plan(known, tasks, CONTROLS, project=KEY, gold=set(gold), share=share, seed=seed)


@pytest.fixture
def studio():
    studio = AdjudicatedStudio()
    assert studio.add_project(title="cups", label_config=CONFIG)["id"] == 5
    for number in range(40):
        task = list_task(number, split="train" if number % 2 else "val")
        studio.tasks[task["id"]] = {"project": 5, "annotations": [], **task}
    return studio


@pytest.fixture
def add(database, studio):
    assert read_project(studio, 5).key == KEY
    service = GoldService(database, studio, now=lambda: NOW)

    def add(known, **options):
        with database.begin() as session:
            gold = find_gold_tasks(session, KEY)
        plan = plan_of(known, fetch_tasks(studio, 5), gold=gold, **options)
        return service.add(5, KEY, plan, CONTROLS, lambda name: name, seed=0), plan

    return add


def get_gold(database):
    with database.begin() as session:
        return find_gold_tasks(session, KEY)


def test_so_many_are_chosen_that_they_are_the_share():
    plan = plan_of(known_answers(50, first=500), [list_task(n) for n in range(95)], share=0.05)

    assert (len(plan.chosen), plan.n_wanted, plan.n_open, plan.present) == (5, 5, 95, ())


@given(st.integers(0, 300), st.integers(0, 40), st.sampled_from([0.01, 0.05, 0.1, 0.5]))
def test_the_share_is_reached_and_one_less_would_not_reach_it(n_open, n_gold, share):
    n_gold = min(n_gold, n_open)
    tasks = [list_task(n) for n in range(n_open)]
    plan = plan_of(known_answers(400, first=900), tasks, gold=range(100, 100 + n_gold), share=share)

    def reach(n_new):
        return n_open + n_new > 0 and (n_gold + n_new) / (n_open + n_new) >= share - 1e-12

    assert plan.n_wanted == 0 or reach(plan.n_wanted)
    assert not plan.n_wanted or not reach(plan.n_wanted - 1) or n_open == 0


def test_tasks_with_an_answer_do_not_count():
    tasks = [list_task(n, is_labeled=n >= 10) for n in range(1000)]

    assert plan_of(known_answers(50, first=5000), tasks, share=0.1).n_wanted == 2


def test_the_choice_is_random_and_the_same_for_the_same_seed():
    known, tasks = known_answers(50, first=500), [list_task(n) for n in range(90)]

    def chosen(seed):
        return [one.entry.image for one in plan_of(known, tasks, seed=seed).chosen]

    assert chosen(1) == chosen(1) != chosen(2)
    assert chosen(1) != sorted(chosen(1))


def test_what_is_a_task_already_becomes_gold_and_is_not_added(database, studio, add):
    before = json.dumps(studio.tasks)

    n_new, plan = add(known_answers(6, first=38), share=0.1)

    assert [task.task_id for _, task in plan.present] == [138, 139]
    assert (n_new, len(plan.chosen)) == (5, 3)
    assert get_gold(database) >= {138, 139}
    assert json.dumps(dict(list(studio.tasks.items())[:40])) == before


def test_a_gold_task_looks_like_every_other_task(database, studio, add):
    add(known_answers(9, first=500), share=0.1)

    (*_, last) = studio.tasks.values()
    others = next(iter(studio.tasks.values()))
    assert last["data"].keys() == others["data"].keys()
    assert last["data"]["split"] in ("train", "val")
    assert last["annotations"] == []
    assert "meta" not in last
    told = json.dumps(studio.tasks)
    assert not any(word in told for word in ("gold", "known", "ground"))
    assert len(get_gold(database)) == 5


def test_a_second_run_fills_up_to_the_share_alone(database, studio, add):
    known = known_answers(9, first=500)
    add(known, share=0.1)
    n_new, plan = add(known, share=0.1)

    assert (n_new, plan.chosen, plan.n_wanted) == (0, (), 0)
    for task in list(studio.tasks.values())[:40]:
        task["is_labeled"] = True
    for number in range(60, 80):
        task = list_task(number)
        studio.tasks[task["id"]] = {"project": 5, "annotations": [], **task}
    assert add(known, share=0.3)[0] == 4  # five of 25 were gold, nine of 29 are


def test_a_task_that_was_imported_and_not_noted_becomes_gold_by_the_next_run(database, studio, add):
    known = known_answers(9, first=500)
    studio.tasks[777] = {"project": 5, "annotations": [], **list_task(503), "id": 777}

    add(known, share=0.001)

    assert get_gold(database) == {777}


def test_after_a_failure_nothing_is_gold_that_is_not_there(database, studio, add):
    studio.fails_at = "/import"

    with pytest.raises(LabelStudioError):
        add(known_answers(9, first=500))

    assert get_gold(database) == set()


def test_what_was_perhaps_imported_is_told_before_the_call(database, studio):
    studio.fails_at, told = "/import", []
    service = GoldService(database, studio, now=lambda: NOW)
    plan = plan_of(known_answers(300, first=500), [list_task(n) for n in range(300)], share=0.5)

    with pytest.raises(LabelStudioError):
        service.add(5, KEY, plan, CONTROLS, lambda name: name, seed=0, on_import=told.append)

    assert told == [one.entry.image for one in plan.chosen[:100]]  # of the first call alone


def test_a_dataset_without_known_answers_is_refused():
    entries = [Entry("cup", "/a.png", None, None, True, ""), Entry("dog", "/a.png", None, None, False, "")]

    assert select_known(entries, "a.json") == [KnownAnswer(entries[1], "a.json")]
    with pytest.raises(InputError, match=r"no expression of a\.json has a mask"):
        select_known(entries[:1], "a.json")
