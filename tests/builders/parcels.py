"""Predictions to write."""

from ris.core.types import Task
from ris.label_config import read
from ris.labelstudio.api.pushing import Parcel
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.region import make_alternatives
from tests.builders.alternatives import OFFERS
from tests.labelstudio.predictions import PROJECT

CONTROLS = read_controls(read("tabs_brush.xml"))

TASKS = [Task(number, PROJECT, "/a", "mug") for number in (7, 8)]


def parcel(task, version="v1", **more):
    return Parcel(
        task, make_alternatives(task, version, [o.suggestion for o in OFFERS], shuffled_share=0), **more
    )
