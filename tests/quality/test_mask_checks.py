import numpy as np
import pytest

from ris.core.rle import RLE, encode_rle
from ris.quality import mask_checks
from ris.quality.mask_checks import check_masks
from tests.builders.answers import paint
from tests.builders.checked import checked_task, load_masks, summarise

SIZE = (100, 100)


def mask(start, stop, size=SIZE):
    return encode_rle(paint(start, stop, size))


def check(*tasks):
    return summarise(check_masks(tasks, load_masks))


def test_the_same_words_with_other_masks_contradict_each_other():
    assert check(
        checked_task(1, "the mug", mask(0, 20)), checked_task(2, "The mug.", mask(50, 70)),
        checked_task(3, "the cat", mask(80, 90)),
    ) == [("same words, different masks", [2, 1])]  # fmt: skip


def test_other_images_and_similar_masks_do_not():
    assert check(
        checked_task(1, "the mug", mask(0, 20)), checked_task(2, "the mug", mask(50, 70), image="b"),
        checked_task(3, "the mug", mask(0, 25)),
    ) == []  # fmt: skip


def test_a_contradiction_of_many_answers_is_told_once():
    one, two = (mask(0, 20),) * 3, (mask(50, 70),) * 3

    assert len(check(checked_task(1, "the mug", *one), checked_task(2, "the mug", *two))) == 1


def test_answers_to_one_task_are_no_contradiction():
    """How far people agree is said by `ris agreement`."""
    assert check(checked_task(1, "the mug", mask(0, 20), mask(50, 70))) == []


def test_other_words_for_the_same_mask_are_noted():
    assert check(checked_task(1, "the mug", mask(0, 20)), checked_task(2, "the cup", mask(0, 20))) == [
        ("different words, same mask", [2, 1])
    ]


def test_no_referent_is_held_against_the_masks_of_others():
    assert check(checked_task(1, "the mug", None, mask(0, 20))) == [("no referent, and a mask", [1])]
    assert check(checked_task(1, "the mug", None), checked_task(2, "the mug", mask(0, 20))) == [
        ("no referent, and a mask", [1, 2])
    ]
    assert check(checked_task(1, "the mug", None), checked_task(2, "the cat", mask(0, 20))) == []


@pytest.mark.parametrize(
    ("pixels", "kind"),
    [
        (np.arange(10_000) < 3, "speck"), (np.arange(10_000) < 9_600, "whole image"),
        (np.zeros(10_000, np.bool_), "empty mask"), (np.arange(10_000) < 200, None),
        (np.arange(10_000) < 9_400, None),
    ],
)  # fmt: skip
def test_specks_whole_images_and_empty_masks_are_found(pixels, kind):
    assert check(checked_task(1, "the mug", encode_rle(pixels.reshape(SIZE)))) == (
        [(kind, [1])] if kind else []
    )


def test_a_mask_of_another_size_than_its_image_is_found():
    task = checked_task(1, "the mug", mask(0, 20), size=(100, 200))

    (found,) = check_masks([task], load_masks)

    assert found.kind.value == "mask outside the image"
    assert "for an image of 100 x 100 pixels and the image has 200 x 100" in found.sentence


def test_masks_of_different_sizes_are_not_compared():
    assert (
        check(checked_task(1, "the mug", mask(0, 20)), checked_task(2, "the mug", RLE((5, 5), (5, 20)))) == []
    )


@pytest.mark.parametrize("per_block", [1, 3, 500])
def test_masks_are_loaded_in_blocks_of_images(per_block, monkeypatch):
    monkeypatch.setattr(mask_checks, "_MASKS_PER_BLOCK", per_block)
    tasks = [
        checked_task(n, "the mug", mask(30 * (n % 3), 30 * (n % 3) + 10), image=str(n // 2))
        for n in range(12)
    ]
    asked = []

    def load(handles):
        asked.append(len(handles))
        return handles

    found = list(check_masks(tasks[::-1], load))

    assert len(found) == 6
    assert sum(asked) == 12
    assert max(asked) <= per_block + 1
