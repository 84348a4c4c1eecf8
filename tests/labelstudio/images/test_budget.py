import io
import threading

import pytest
from PIL import Image as Pillow

from ris.errors import ImageUnreadable
from ris.labelstudio.images.budget import DecodingBudget, estimate_decoding_bytes
from ris.labelstudio.images.decoding import ImageHead

LARGE, SMALL = ImageHead("PNG", (5000, 5000)), ImageHead("PNG", (1000, 1000))


def png(size):
    out = io.BytesIO()
    Pillow.new("1", size).save(out, "PNG")
    return out.getvalue()


class Holder(threading.Thread):
    """Reserves memory for an image until it is told to let go."""

    def __init__(self, budget, head):
        super().__init__(daemon=True)
        self.budget, self.head = budget, head
        self.held, self.may_end = threading.Event(), threading.Event()
        self.start()

    def run(self):
        with self.budget.reserve(self.head):
            self.held.set()
            self.may_end.wait()

    def end(self):
        self.may_end.set()
        self.join()


@pytest.fixture
def budget():
    return DecodingBudget(max_pixels=10**8, small_bytes=2 * estimate_decoding_bytes(SMALL))


def test_large_images_are_decoded_one_at_a_time_and_small_ones_meanwhile(budget):
    first = Holder(budget, LARGE)
    assert first.held.wait(10)
    second, small = Holder(budget, LARGE), Holder(budget, SMALL)

    assert small.held.wait(10)
    assert budget.decode(png((100, 100))).size == (100, 100)
    assert not second.held.is_set()
    first.end()
    assert second.held.wait(10)
    second.end(), small.end()


def test_small_images_share_their_bytes_and_nobody_overtakes(budget):
    holders = [Holder(budget, SMALL), Holder(budget, SMALL)]
    assert all(one.held.wait(10) for one in holders)
    both = Holder(budget, ImageHead("PNG", (2000, 1000)))

    holders[0].end()
    assert not both.held.is_set()
    holders[1].end()
    assert both.held.wait(10)
    both.end()


def test_an_image_that_needs_more_than_all_bytes_is_decoded_alone():
    budget = DecodingBudget(max_pixels=10**8, small_bytes=1)

    assert budget.decode(png((40, 30))).size == (30, 40)


def test_the_memory_is_given_back_after_a_damaged_image():
    budget = DecodingBudget(max_pixels=10**8, small_bytes=1)
    for _ in range(3):
        with pytest.raises(ImageUnreadable, match="damaged or cut short"):
            budget.decode(png((400, 300))[:-30])

    assert budget.decode(png((40, 30))).size == (30, 40)


def test_formats_whose_decoders_copy_are_counted_with_their_copies():
    assert [estimate_decoding_bytes(ImageHead(kind, (10, 10))) for kind in ("PNG", "WEBP", "AVIF")] == [
        800,
        2000,
        1400,
    ]
