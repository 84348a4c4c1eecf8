"""Seconds that a new image takes on this machine, measured with the networks that are here."""

import time
from collections.abc import Callable

from ris import assembly, planning
from ris.config import Settings
from ris.core.types import Image
from ris.referring.pipeline import Pipeline


def measure_preset(settings: Settings, preset: str) -> float:
    """Load a preset's networks and measure a new image with one expression; return the seconds.

    Args:
        settings: the networks run on their device, in their precision.
        preset: its name; its networks must be on this machine.

    Raises:
        WeightsError: a model file is missing or damaged.
        SettingsError: the machine does not have the device, or is slower in the precision that is set.
    """
    from ris.tinyworld.samples import make_samples  # reads the sprites, which no other command here needs

    plan = planning.make_plan(settings.model_copy(update={"preset": preset}))
    samples = [(Image.from_pixels(one.pixels), one.expression) for one in make_samples(2)]
    return measure_image(assembly.load_pipeline(plan), samples, time.perf_counter)


def measure_image(pipeline: Pipeline, samples: list[tuple[Image, str]], clock: Callable[[], float]) -> float:
    """Measure the last of some images with their expressions; those before it warm everything up."""
    start = clock()
    for image, expression in samples:
        start = clock()
        pipeline.refer(pipeline.see(image), expression)
    return clock() - start
