"""The seconds of an image are those of an image that comes after the first."""

from itertools import count

from ris.cli.preset_speed import measure_image, measure_preset
from ris.config import Settings


class Recorder:
    def __init__(self):
        self.calls = []

    def see(self, image):
        self.calls.append(("see", image))
        return f"scene of {image}"

    def refer(self, scene, expression):
        self.calls.append(("refer", scene, expression))


def test_the_last_image_is_measured_and_those_before_it_warm_up():
    ranker, ticks = Recorder(), iter([0.0, 1.0, 10.0, 12.5])

    seconds = measure_image(ranker, [("a", "mug"), ("b", "cup")], lambda: next(ticks))

    assert seconds == 2.5
    assert ranker.calls == [
        ("see", "a"), ("refer", "scene of a", "mug"), ("see", "b"), ("refer", "scene of b", "cup"),
    ]  # fmt: skip


def test_a_preset_that_is_here_is_loaded_and_measured(monkeypatch):
    ticks = count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))

    assert measure_preset(Settings(_env_file=None), "classical") >= 1.0
