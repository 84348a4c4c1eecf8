from types import SimpleNamespace

import numpy as np

from ris.core.rle import encode_rle
from ris.core.types import Image, MethodScore, Suggestion
from ris.errors import ImageUnreachable
from ris.quality.ranking_images import rank_tasks
from tests.builders.answers import paint
from tests.builders.checked import checked_task

MASK = encode_rle(paint(0, 4))


class WordCounter:
    """A pipeline whose scores are those of the number of words."""

    def see(self, image):
        return image

    def refer_all(self, scene, expressions, image):
        return [SimpleNamespace(suggestions=self.rank(len(one.split()))) for one in expressions]

    def rank(self, n_words):
        scores = (0.5, 0.5 / n_words)
        return tuple(
            Suggestion(rank, score, MASK, (0, 0, 4, 1), {"words": MethodScore(score, 1 - rank)}, "v1")
            for rank, score in enumerate(scores)
        )


def test_each_image_is_seen_once_and_a_missing_one_has_no_ranking():
    fetched = []

    def load_image(task):
        fetched.append(task.image_url)
        if "missing" in task.image_url:
            raise ImageUnreachable("it is not there")
        return Image.from_pixels(np.zeros((1, 10, 3), np.uint8))

    tasks = [
        checked_task(1, "mug", image="b"), checked_task(2, "the mug", image="a"),
        checked_task(3, "left mug", image="b"),
        checked_task(4, image="missing"),
    ]  # fmt: skip

    ranked = {one.task.task_id: one.ranking for one in rank_tasks(tasks, WordCounter(), load_image)}

    assert fetched == ["/a.png", "/b.png", "/missing.png"]
    assert {number: one and one.scores for number, one in ranked.items()} == {
        1: (0.5, 0.5), 2: (0.5, 0.25), 3: (0.5, 0.25), 4: None,
    }  # fmt: skip
    assert ranked[1].favourites == {"words": 1}
