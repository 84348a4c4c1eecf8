"""Processes do all of the work once, whatever happens to them."""

import pytest

from ris.batch.engine import ProcessEngine
from ris.batch.plan import group_tasks
from ris.errors import WeightsError
from tests.batch.fakes import MAKE, MAKE_NOTHING, tasks


def done(engine, *images):
    found = list(engine.run(group_tasks(tasks(*images))))
    return {f.group.image_url: f.failures for f in found}, [f.group.image_url for f in found]


def test_every_piece_is_done_once():
    images = [f"image {number}" for number in range(9)]

    failures, order = done(ProcessEngine(MAKE, 2), *images)

    assert sorted(order) == images
    assert set(failures.values()) == {("",)}


def test_what_a_lost_worker_had_in_hand_is_done_again(tmp_path):
    images = ["a", f"once {tmp_path / 'first'}", "b", "c", "d"]

    failures, order = done(ProcessEngine(MAKE, 2), *images)

    assert sorted(order) == sorted(images)
    assert set(failures.values()) == {("",)}


def test_an_image_that_kills_workers_fails_by_itself():
    failures, order = done(ProcessEngine(MAKE, 2), "a", "deadly", "b", "c", "d", "e")

    assert sorted(order) == ["a", "b", "c", "d", "deadly", "e"]
    assert failures.pop("deadly") == (
        "3 workers died while they processed its image, perhaps for lack of memory",
    )
    assert set(failures.values()) == {("",)}


def test_workers_that_cannot_start_stop_the_run_with_the_reason():
    with pytest.raises(WeightsError, match="file x is missing"):
        done(ProcessEngine(MAKE_NOTHING, 1), "a")
