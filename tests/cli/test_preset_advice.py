from pathlib import Path

import numpy as np
import skimage
from PIL import Image as Pillow

from ris.cli import preset_advice
from ris.cli.preset_advice import print_preset_advice
from ris.config import Settings
from ris.core.types import Image, Task
from ris.errors import ImageUnreachable

COFFEE = Image.from_pixels(
    np.asarray(Pillow.open(Path(skimage.__file__).parent / "data" / "coffee.png").convert("RGB"))
)
TASKS = [Task(number, "1.1", f"{number}.png", "the mug") for number in range(9)]


def advise(monkeypatch, fetch, preset="tiny"):
    said = []
    monkeypatch.setattr(preset_advice.console, "print", lambda text, **_: said.append(text))
    print_preset_advice(Settings(_env_file=None, preset=preset), TASKS, fetch)
    return said


def test_photographs_are_advised_the_preset_that_needs_no_network(monkeypatch, tmp_path):
    (said,) = advise(monkeypatch, lambda task: COFFEE)

    assert "RIS_PRESET=classical" in said and "ris models fetch base" in said


def test_only_the_first_pictures_are_fetched_and_one_that_cannot_be_read_is_passed_over(monkeypatch):
    asked = []

    def fetch(task):
        asked.append(task.task_id)
        if task.task_id == 0:
            raise ImageUnreachable("gone")
        return COFFEE

    assert len(advise(monkeypatch, fetch)) == 1
    assert asked == [0, 1, 2]


def test_nothing_is_fetched_for_a_preset_without_toy_networks(monkeypatch):
    def fetch(task):
        raise AssertionError("fetched")

    assert advise(monkeypatch, fetch, preset="classical") == []
