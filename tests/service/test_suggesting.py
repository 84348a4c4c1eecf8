from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Thread

import pytest

from ris.core import rle
from ris.core.types import LargeImage
from ris.labelstudio.task import TaskFailure
from ris.referring.ranking import Calibration, Coefficients, Fusion
from ris.store.learned_rankings import LearnedRanking, add_learned_ranking, set_version_in_use
from ris.store.records import find_explanations, find_proposals
from tests.builders.fakes import squares
from tests.builders.late import Says, ShortSightedProposer, make_locating_pipeline, say_boxes
from tests.builders.services import AT_ONCE, NOW, Images, ask, task


def test_the_best_alternative_is_what_the_expression_says(suggesting, gate):
    gate.opened.set()

    (answer,) = ask(suggesting, task(expression="the blue"))

    wanted = (squares() == (0, 0, 255)).all(-1)
    assert (rle.decode_rle(answer.alternatives[0].suggestion.mask) == wanted).all()
    assert (answer.size, answer.reason) == ((32, 32), "")


def test_there_is_one_answer_an_entry_in_order_and_a_failure_is_its_own(suggesting, gate):
    gate.opened.set()
    entries = [
        task(1),
        TaskFailure(2, "task 2 has no data"),
        task(3, image="gone"),
        task(4, image="black"),
        task(5),
    ]

    answers = ask(suggesting, *entries)

    assert [a.task_id for a in answers] == [1, 2, 3, 4, 5]
    assert [len(a.alternatives) for a in answers] == [3, 0, 0, 0, 3]
    assert [a.reason for a in answers[1:4]] == [
        "task 2 has no data",
        "cannot fetch the image of task 3: Label Studio answered 404",
        "task 4: no mask was proposed for its image",
    ]


class AtOnce(ThreadPoolExecutor):
    """A pool that finishes each job before `submit` returns."""

    def submit(self, call, /, *arguments):
        job = super().submit(call, *arguments)
        job.exception()
        return job


def test_a_task_that_is_answered_at_once_keeps_nobody_waiting(suggesting, gate):
    gate.opened.set()
    suggesting._pool = AtOnce(1)

    answers = ask(suggesting, task(), task(2, image="gone"), task())

    assert [bool(a.alternatives) for a in answers] == [True, False, True]


def test_what_is_stored_comes_without_image_or_networks(suggesting, gate, images):
    gate.opened.set()
    first = ask(suggesting, task())

    again = ask(suggesting, task())

    assert again == first
    assert images.fetched == ["squares"]
    assert gate.pipeline.proposer.calls == 1


def test_a_task_that_is_late_goes_on_and_is_there_when_asked_again(suggesting, gate):
    (late,) = ask(suggesting, task(), deadline_s=AT_ONCE)
    assert late.alternatives == ()
    assert late.reason == "task 1 was not ready within 0 s; ask again later"

    gate.opened.set()

    assert len(ask(suggesting, task())[0].alternatives) == 3


def test_equal_requests_share_one_computation(suggesting, gate, images):
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(ask, suggesting, task()) for _ in range(6)]
        gate.opened.set()
        answers = [a.result()[0].alternatives for a in asked]

    assert all(a == answers[0] for a in answers)
    assert gate.pipeline.proposer.calls == 1


def test_a_failure_is_not_remembered(suggesting, gate, images):
    gate.opened.set()
    ask(suggesting, task(image="gone"))
    ask(suggesting, task(image="gone"))

    assert images.fetched == ["gone", "gone"]


@pytest.mark.parametrize("words", ["左の赤", "red " * 150, "!?"])
def test_odd_wording_gets_alternatives_like_any_other(suggesting, gate, words):
    gate.opened.set()

    assert len(ask(suggesting, task(expression=words))[0].alternatives) == 3


def test_a_bug_inside_one_task_does_not_reach_the_others(suggesting, gate, images, caplog):
    gate.opened.set()
    suggesting.fetch = lambda t: 1 / 0 if t.task_id == 1 else images(t)

    answers = ask(suggesting, task(1), task(2))

    assert answers[0].reason == "task 1 failed with an internal error; see the server's log"
    assert len(answers[1].alternatives) == 3
    assert "ZeroDivisionError" in caplog.text


def test_region_ids_are_the_same_when_asked_again(suggesting, gate):
    gate.opened.set()
    ids = [[o.region_id for o in ask(suggesting, task())[0].alternatives] for _ in range(2)]

    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3


def test_a_share_of_tasks_is_shown_in_random_order_and_stays_so(suggesting, gate):
    gate.opened.set()
    suggesting.shuffled_share = 0.5
    asked = [task(number) for number in range(1, 41)]

    answers, again = ask(suggesting, *asked), ask(suggesting, *asked)

    orders = [tuple(o.place for o in answer.alternatives) for answer in answers]
    assert orders == [tuple(o.place for o in answer.alternatives) for answer in again]
    shuffled = [order for order in orders if order != (None, None, None)]
    assert 10 < len(shuffled) < 30
    assert all(sorted(order) == [0, 1, 2] for order in shuffled)
    assert len(set(shuffled)) > 3


def test_what_was_learned_ranks_as_soon_as_it_is_in_use_and_not_when_it_no_longer_is(
    suggesting, gate, database
):
    gate.opened.set()
    flat = Coefficients(Fusion(), calibration=Calibration(slope=1.0, intercept=-3.0))
    version = LearnedRanking("fake-1-a", "fake-1", flat, {}, NOW)
    seen = []
    for used in ("fake-1", "fake-1-a", "fake-1"):
        with database.begin() as session:
            add_learned_ranking(session, version)
            set_version_in_use(session, "fake-1", used, now=NOW)
        (answer,) = ask(suggesting, task())
        best = answer.alternatives[0].suggestion
        seen.append((suggesting.version, best.version, best.score))

    assert [(version, best) for version, best, _ in seen] == [
        (v, v) for v in ("fake-1", "fake-1-a", "fake-1")
    ]
    assert seen[1][2] == pytest.approx(flat.calibration.compute_chance(seen[0][2]))
    assert seen[0] == seen[2]


class LargeImages(Images):
    """Images of which some are large; those wait until they may load."""

    def __init__(self):
        super().__init__()
        self.may_load, self.loaded = Event(), []

    def __call__(self, task):
        if not task.image_url.startswith("large"):
            return super().__call__(task)
        return LargeImage(lambda: self.load(task))

    def load(self, task):
        self.may_load.wait(60)
        self.loaded.append(task.task_id)
        return super().__call__(replace(task, image_url="squares"))


@pytest.mark.parametrize("interactive", [False, True])
def test_any_number_of_large_images_delays_no_small_one(suggesting, gate, interactive):
    gate.opened.set()
    suggesting.fetch = images = LargeImages()
    large = suggesting.begin([task(i, image=f"large {i}") for i in range(20)], interactive=interactive)

    small = suggesting.suggest([task(30), task(31)], deadline_s=60, interactive=interactive)

    assert [len(one.alternatives) for one in small] == [3, 3]
    assert not images.loaded
    images.may_load.set()
    assert [len(job.result(60).alternatives) for job in large] == [3] * 20
    assert sorted(images.loaded) == list(range(20))
    assert suggesting.n_waiting == 0


def test_a_large_image_that_cannot_be_loaded_has_a_reason(suggesting, gate):
    gate.opened.set()
    suggesting.fetch = lambda task: LargeImage(lambda: Images()(replace(task, image_url="gone")))

    (answer,) = ask(suggesting, task(3))

    assert answer.reason == "cannot fetch the image of task 3: Label Studio answered 404"


def test_large_images_that_wait_when_the_service_closes_are_cancelled(suggesting, gate):
    gate.opened.set()
    suggesting.fetch = images = LargeImages()
    jobs = suggesting.begin([task(i, image=f"large {i}") for i in range(3)])
    suggesting._pool.submit(lambda: None).result(60)

    closing = Thread(target=suggesting.close)
    closing.start()
    images.may_load.set()
    closing.join(60)

    assert all(job.done() for job in jobs)


def test_late_proposals_are_stored_with_the_task_and_learning_finds_them(suggesting, gate):
    words = Says(lambda question: say_boxes((2, 2, 10, 10), side=32) if "red" in question.prompt else "none")
    gate.pipeline = replace(make_locating_pipeline(words, ShortSightedProposer("red")), version="fake-1")
    gate.opened.set()

    red, blue = ask(suggesting, task(1), task(2, expression="the blue", image="other"))

    assert [a.suggestion.late_method for a in red.alternatives][:1] == ["grounder"]
    assert blue.alternatives == ()  # the only method says that there is no such thing
    with suggesting.database.begin() as session:
        assert len(find_proposals(session, task(1), "fake-1")) == 4
        assert len(find_proposals(session, task(2, expression="the blue", image="other"), "fake-1")) == 3
        (said,) = find_explanations(session, task(1), "fake-1")
    assert (len(said.scores), said.evidence["late proposals"]) == (4, "1")
