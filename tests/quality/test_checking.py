from ris.core.rle import encode_rle
from ris.core.types import Image
from ris.quality.checking import CheckTools, check_tasks
from ris.tinyworld.samples import make_samples
from tests.builders.answers import paint
from tests.builders.checked import checked_task, load_masks, ranking, summarise
from tests.builders.decisions import parse


def mask(start, stop):
    return encode_rle(paint(start, stop, (100, 100)))


TASKS = [
    checked_task(1, "the mug", mask(0, 20)),
    checked_task(2, "the mug", mask(50, 70), ranking=ranking(0.3, 0.3)),
    checked_task(3, "the yellow mugg", mask(70, 80), times=(0.1,)),
    checked_task(4, "the yellow mug", mask(80, 90)),
    checked_task(5, "the left", image="b"),
    checked_task(6, "the mug\x07", image="c"),
]


def test_every_check_runs():
    found = {kind for kind, _ in summarise(check_tasks(TASKS, CheckTools(load_masks, parse)))}

    assert found == {
        "same words, different masks", "ambiguous", "odd characters", "no noun", "typo", "fast answer",
    }  # fmt: skip


def test_images_are_looked_at_where_they_can_be_fetched():
    pixels = make_samples(1)[0].pixels
    tools = CheckTools(load_masks, parse, lambda task: Image.from_pixels(pixels))

    found = summarise(check_tasks(TASKS, tools))

    assert [one for one in found if one[0] == "duplicate image"] == [
        ("duplicate image", [5, 1]), ("duplicate image", [6, 1]),
    ]  # fmt: skip


def test_nothing_has_no_findings():
    assert list(check_tasks([], CheckTools(load_masks, parse))) == []
