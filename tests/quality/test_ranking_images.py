from ris.core.types import Image
from ris.errors import ImageUnreachable
from ris.quality.ranking_images import rank_tasks
from ris.tinyworld.samples import make_samples
from tests.builders.checked import checked_task
from tests.builders.services import make_pipeline

PIXELS = make_samples(1)[0].pixels


def test_each_image_is_seen_once_and_a_missing_one_has_no_ranking():
    fetched = []

    def load_image(task):
        fetched.append(task.image_url)
        if "missing" in task.image_url:
            raise ImageUnreachable("it is not there")
        return Image.from_pixels(PIXELS)

    tasks = [
        checked_task(1, image="b"),
        checked_task(2, image="a"),
        checked_task(3, image="b"),
        checked_task(4, image="missing"),
    ]

    ranked = {one.task.task_id: one.ranking for one in rank_tasks(tasks, make_pipeline(), load_image)}

    assert fetched == ["/a.png", "/b.png", "/missing.png"]
    assert sorted(ranked) == [1, 2, 3, 4]
    assert ranked[4] is None
    for number in (1, 2, 3):
        scores = ranked[number].scores
        assert list(scores) == sorted(scores, reverse=True)
        assert scores
