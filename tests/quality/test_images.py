from ris.core.types import Image
from ris.errors import ImageUnreachable
from ris.quality.images import check_images, find_shared_images
from ris.tinyworld.samples import make_samples
from tests.builders.checked import checked_task, summarise

PIXELS = {name: sample.pixels for name, sample in zip("abc", make_samples(3), strict=True)}


def load_image(task):
    name = task.image_url[1]
    if name not in PIXELS:
        raise ImageUnreachable("there is no such file")
    return Image.from_pixels(PIXELS[name])


def test_each_image_is_fetched_once_and_copies_are_found():
    fetched = []

    def count(task):
        fetched.append(task.image_url)
        return load_image(task)

    tasks = [
        checked_task(1, image="a"),
        checked_task(2, image="a"),
        checked_task(3, image="b"),
        checked_task(4, image="a2"),
    ]

    assert summarise(check_images(tasks, count)) == [("duplicate image", [4, 1])]
    assert fetched == ["/a.png", "/b.png", "/a2.png"]


def test_copies_in_different_splits_are_leaks():
    tasks = [
        checked_task(1, image="a", split="train"), checked_task(2, image="a2", split="train"),
        checked_task(3, image="a2", split="test"), checked_task(4, image="b", split="test"),
    ]  # fmt: skip

    assert summarise(check_images(tasks, load_image)) == [("duplicate across splits", [3, 1])]


def test_an_image_that_cannot_be_read_is_a_finding():
    (found,) = check_images([checked_task(1, image="x")], load_image)

    assert (found.kind.value, found.sentence) == (
        "unreadable image",
        "the image cannot be read: there is no such file",
    )


def test_one_image_in_two_splits_is_found_without_fetching():
    tasks = [checked_task(1, split="train"), checked_task(2, split="train"), checked_task(3, split="test")]

    assert summarise(find_shared_images(tasks)) == [("duplicate across splits", [3, 1])]


def test_one_file_at_two_addresses_is_found_without_fetching():
    one, two = checked_task(1, image="a"), checked_task(2, image="b")
    same = type(two)(two.name, two.task, one.image)

    assert summarise(find_shared_images([one, same])) == [("duplicate image", [2, 1])]
    assert list(find_shared_images([one, two])) == []
