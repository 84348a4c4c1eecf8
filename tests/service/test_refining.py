from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from ris.core import rle
from ris.core.proposals import Prompts
from ris.core.types import Image, LargeImage
from ris.errors import ImageUnreachable, InputError, NotReady
from ris.service import RefinementService, SceneCache, Worker
from ris.service.refining import compute_fitness, find_clicked_alternative
from tests.builders.fakes import squares
from tests.builders.services import ask, make_pipeline, task

SIZE = (32, 32)
RED, BLUE = ((squares() == colour).all(-1) for colour in ((255, 0, 0), (0, 0, 255)))


def at(mask):
    """Return a pixel in the middle of a mask, x and y."""
    rows, columns = np.nonzero(mask)
    return [float(columns[len(columns) // 2]), float(rows[len(rows) // 2])]


def clicks(*points, negative=(), size=SIZE):
    xy = np.array([*points, *negative], np.float32).reshape(-1, 2)
    return Prompts(size, xy, np.array([True] * len(points) + [False] * len(negative), np.bool_))


@pytest.fixture
def refining(suggesting, gate, images):
    gate.opened.set()
    return RefinementService(suggesting.worker, suggesting, images)


def refine(refining, prompts, **more):
    return refining.refine(task(**more), prompts, deadline_s=60)


def test_a_click_on_what_the_words_mean_gives_that_and_not_the_whole(refining, suggesting):
    """SAM predicts a higher IoU for the whole; the alternatives agree with the red square."""
    ask(suggesting, task(expression="the red"))

    found = refine(refining, clicks(at(RED)), expression="the red")

    assert (rle.decode_rle(found.mask) == RED).all()
    assert found.alternative.suggestion.rank == 0


def test_without_an_alternative_sams_own_trust_decides(refining):
    found = refine(refining, clicks(at(BLUE)))

    assert (rle.decode_rle(found.mask) == squares().any(-1)).all()
    assert (found.alternative, found.score) == (None, pytest.approx(0.9))


def test_a_mask_that_misses_a_positive_click_is_never_returned(refining):
    """SAM trusts the whole most; no mask at all contains the background in the corner."""
    outside = at(~squares().any(-1))

    assert refine(refining, clicks(outside)) is None
    found = rle.decode_rle(refine(refining, clicks(at(BLUE))).mask)
    assert found[int(at(BLUE)[1]), int(at(BLUE)[0])]


def test_an_image_that_was_seen_is_not_seen_again(refining, suggesting, gate):
    ask(suggesting, task())
    for _ in range(3):
        refine(refining, clicks(at(RED)))

    assert gate.pipeline.proposer.calls == 1


def test_a_click_of_another_image_size_is_refused(refining):
    with pytest.raises(
        InputError, match=r"task 1: the editor has the image size \(64, 64\), the file \(32, 32\)"
    ):
        refine(refining, clicks([40, 40], size=(64, 64)))


def test_an_image_that_cannot_be_had_is_said(refining):
    with pytest.raises(ImageUnreachable, match="404"):
        refine(refining, clicks([1, 1]), image="gone")


def test_a_preset_that_makes_no_masks_of_clicks_says_so(suggesting, images):
    worker = Worker(lambda: replace(make_pipeline(), refiner=None), SceneCache(10**6))
    worker.start()
    try:
        with pytest.raises(NotReady, match="no network that makes masks from clicks"):
            RefinementService(worker, suggesting, images).refine(task(), clicks([1, 1]), deadline_s=60)
    finally:
        worker.close()


def test_the_alternative_that_is_pointed_at_has_all_positive_clicks(suggesting, gate):
    gate.opened.set()
    (answer,) = ask(suggesting, task(expression="the red"))
    shown = {o.suggestion.rank: at(rle.decode_rle(o.suggestion.mask)) for o in answer.alternatives}

    assert find_clicked_alternative(answer.alternatives, clicks(shown[1])).suggestion.rank == 1
    assert (
        find_clicked_alternative(answer.alternatives, clicks(shown[1], negative=[shown[1]])).suggestion.rank
        == 1
    )
    assert find_clicked_alternative(answer.alternatives, clicks(shown[1], shown[2])) is None
    assert find_clicked_alternative(answer.alternatives, clicks()) is None


def test_fitness_is_trust_alone_where_nothing_was_offered():
    pipeline = make_pipeline()
    scene = pipeline.see(Image.from_pixels(squares()))
    found = pipeline.refiner.refine(scene, clicks(at(RED)))
    codes = [rle.encode_rle(mask) for mask in found.masks]

    assert compute_fitness(found, codes, ()).tolist() == pytest.approx([0.9, 0.7])


def test_a_click_on_a_large_image_waits_for_its_turn_and_no_longer_than_its_deadline(suggesting, gate):
    gate.opened.set()
    may_load = Event()

    def load():
        may_load.wait(60)
        return Image.from_pixels(squares())

    refining = RefinementService(suggesting.worker, suggesting, lambda task: LargeImage(load))

    with pytest.raises(NotReady, match=r"no mask was ready within 0\.1 s; click again"):
        refining.refine(task(), clicks(at(RED)), deadline_s=0.1)
    may_load.set()
    assert refine(refining, clicks(at(RED))).mask.size == SIZE


def test_a_click_does_not_wait_for_an_image_beyond_the_deadline(suggesting, gate):
    gate.opened.set()
    fetched = Event()

    def fetch(task):
        assert fetched.wait(60)
        return Image.from_pixels(squares())

    refining = RefinementService(suggesting.worker, suggesting, fetch)
    try:
        with pytest.raises(NotReady, match=r"no mask was ready within 0\.05 s; click again"):
            refining.refine(task(), clicks(at(RED)), deadline_s=0.05)
    finally:
        fetched.set()


def test_a_click_that_nobody_waits_for_any_more_is_not_computed(suggesting, gate, images):
    refining = RefinementService(suggesting.worker, suggesting, images)

    with pytest.raises(NotReady, match=r"no mask was ready within 0\.3 s; click again"):
        refining.refine(task(), clicks(at(RED)), deadline_s=0.3)
    gate.opened.set()
    refining.refine(task(), clicks(at(RED)), deadline_s=60)

    assert gate.pipeline.proposer.calls == 1


@pytest.mark.parametrize("size", [(1, 65_535), (20_000, 3), (1, 1)])
def test_a_click_on_a_picture_of_one_row_or_one_pixel_is_answered(suggesting, gate, size):
    gate.opened.set()
    picture = Image.from_pixels(np.full((*size, 3), 200, np.uint8))
    refining = RefinementService(suggesting.worker, suggesting, lambda task: picture)

    found = refining.refine(task(), clicks([size[1] - 0.5, size[0] - 0.5], size=size), deadline_s=60)

    assert found is None or found.mask.size == size
