import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.errors import InputError
from ris.evaluation.refcoco.shard import Shard, read_shard


@given(st.lists(st.text()), st.integers(1, 20))
def test_every_image_is_in_exactly_one_shard(images, count):
    for image in images:
        assert sum(Shard(number, count).has_image(image) for number in range(1, count + 1)) == 1


def test_an_image_is_in_the_same_shard_on_every_machine():
    names = ["COCO_train2014_000000000009.jpg", "COCO_train2014_000000000025.jpg", "a", "b"]

    assert [[n for n in range(1, 9) if Shard(n, 8).has_image(name)] for name in names] == [[1], [8], [3], [3]]


def test_a_shard_is_read_as_a_part_of_all():
    assert read_shard("3/8") == Shard(3, 8)


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "1/0", "-1/8", "1/8x", "1.5/8"])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(InputError, match="such as 3/8 for the third of eight"):
        read_shard(text)
