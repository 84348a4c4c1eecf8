import threading
import time

import numpy as np
import pytest

from ris.core.proposals import Prompts
from ris.core.types import Image
from ris.errors import NotReady, WeightsError
from ris.service import ModelState, ModelStatus, SceneCache, Worker
from tests.builders.fakes import squares
from tests.builders.late import Says, ShortSightedProposer, make_locating_pipeline, say_boxes
from tests.builders.services import make_pipeline


def test_an_image_is_seen_once_for_all_its_expressions():
    pipeline = make_pipeline()
    worker = Worker(lambda: pipeline, SceneCache(10**7))
    worker.start()

    for words in ("the red", "the green", "the blue"):
        worker.refer(Image.from_pixels(squares()), words).result()

    assert pipeline.proposer.calls == 1
    worker.close()


def test_the_networks_load_once_in_the_background():
    loads = []
    worker = Worker(lambda: loads.append(1) or make_pipeline(), SceneCache(10**7))
    worker.start()

    worker.refer(Image.from_pixels(squares()), "the red").result()
    worker.refer(Image.from_pixels(squares()), "the green").result()

    assert (loads, worker.get_state()) == ([1], ModelState(ModelStatus.READY))
    worker.close()


def test_before_they_are_loaded_the_state_says_so(gate):
    worker = Worker(gate, SceneCache(10**7))
    worker.start()

    assert worker.get_state() == ModelState(ModelStatus.LOADING)

    gate.opened.set()
    worker.close()


def test_models_that_cannot_be_loaded_fail_every_job_with_the_reason():
    def load():
        raise WeightsError("the model file x is missing; install the package again")

    worker = Worker(load, SceneCache(10**7))
    worker.start()

    with pytest.raises(NotReady, match="the models could not be loaded: the model file x is missing"):
        worker.refer(Image.from_pixels(squares()), "the red").result()
    assert worker.get_state() == ModelState(
        ModelStatus.FAILED, "the model file x is missing; install the package again"
    )
    worker.close()


def test_somebody_at_the_screen_goes_before_what_was_asked_ahead(gate):
    order, worker = [], Worker(gate, SceneCache(10**7))
    worker.start()
    point = Prompts((32, 32), np.array([[8, 8]], np.float32), np.array([True]))
    asked = {
        "first": worker.refer(Image.from_pixels(squares()), "the red"),
        "second": worker.refer(Image.from_pixels(squares()), "the green"),
        "typed": worker.refer(Image.from_pixels(squares()), "the blue", interactive=True),
        "click": worker.refine(Image.from_pixels(squares()), point),
    }
    for name, job in asked.items():
        job.add_done_callback(lambda _, name=name: order.append(name))
    until(lambda: worker.n_waiting == 4)  # and the networks are being loaded
    gate.opened.set()
    for job in asked.values():
        job.result()

    assert order == ["typed", "click", "first", "second"]
    worker.close()


def test_a_closing_worker_finishes_what_runs_and_refuses_what_waits(gate):
    worker = Worker(gate, SceneCache(10**7))
    worker.start()
    jobs = [worker.refer(Image.from_pixels(squares()), words) for words in ("the red", "the green")]
    until(lambda: worker.n_waiting == 2)
    closing = threading.Thread(target=worker.close)
    closing.start()
    until(lambda: all(job.done() for job in jobs))
    assert [str(job.exception()) for job in jobs] == ["the server is stopping; ask again when it is back"] * 2
    gate.opened.set()
    closing.join()

    assert not closing.is_alive()
    assert worker.get_state() == ModelState(ModelStatus.READY)
    with pytest.raises(NotReady, match="the server is stopping"):
        worker.refer(Image.from_pixels(squares()), "the red")


def until(holds):
    while not holds():
        time.sleep(0.01)


def test_a_worker_that_is_closed_before_it_could_load_says_so(gate):
    worker = Worker(gate, SceneCache(1))
    worker.close()

    assert worker.get_state() == ModelState(
        ModelStatus.FAILED, "the server was stopped before they were loaded"
    )


def test_nothing_runs_before_the_worker_is_started():
    loads = []
    worker = Worker(lambda: loads.append(1) or make_pipeline(), SceneCache(10**7))
    job = worker.refer(Image.from_pixels(squares()), "the red")

    assert (loads, job.done(), worker.n_waiting) == ([], False, 2)

    worker.start()
    job.result()
    assert loads == [1]
    worker.close()


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (ModelState(ModelStatus.LOADING), "loading"), (ModelState(ModelStatus.READY), "ready"),
        (ModelState(ModelStatus.FAILED, "the model file x is missing"), "the model file x is missing"),
    ],
)  # fmt: skip
def test_the_state_is_shown_by_its_status_or_by_the_reason_of_the_failure(state, shown):
    assert str(state) == shown


def test_what_a_model_finds_is_proposed_also_when_the_scene_was_cached():
    vlm = Says(lambda question: say_boxes((2, 2, 10, 10), side=32) if "red" in question.prompt else "none")
    worker = Worker(lambda: make_locating_pipeline(vlm, ShortSightedProposer("red")), SceneCache(10**9))
    worker.start()

    found = [worker.refer(Image.from_pixels(squares()), words).result() for words in ("the blue", "the red")]
    worker.close()

    assert [(len(scene.masks), len(result.late)) for scene, result in found] == [(3, 0), (3, 1)]
