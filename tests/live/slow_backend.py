"""A backend that is ready with tasks at random times around its deadline.

Run it as `python -m tests.live.slow_backend`. Its networks are fakes that behave; all else is the product's.
Settings come from the environment, as for `ris serve`.
"""

import os
import random
import time
from datetime import UTC, datetime

from werkzeug.serving import make_server

from ris import assembly, config
from ris.core.types import Image
from ris.labelstudio.api.pushing import PredictionWriter
from ris.service import (
    DeliveryService,
    RecordingService,
    RefinementService,
    SceneCache,
    SuggestionService,
    Worker,
)
from ris.store.session import Database
from ris.web.app import create_app
from ris.web.handlers import Services
from ris.web.logs import start_logging
from tests.builders.fakes import squares
from tests.builders.services import make_pipeline


def slow_images(seed, mean_s):
    """Each task's image takes its own time, the same at every asking."""

    def fetch(task):
        time.sleep(random.Random(f"{seed} {task.task_id}").expovariate(1 / mean_s))
        return Image.from_pixels(squares())

    return fetch


def main():
    settings = config.read_settings()
    start_logging(settings.log_level, settings.log_format)
    database = Database.open(settings.database_url)

    def now():
        return datetime.now(UTC)

    images = slow_images(int(os.environ["SEED"]), float(os.environ["MEAN_S"]))
    worker = Worker(make_pipeline, SceneCache(10**7))
    worker.start()
    suggesting = SuggestionService(database, worker, images, version="fake-1", now=now)
    pushing = PredictionWriter(
        assembly.make_label_studio_client(settings, timeout_s=assembly.WRITE_TIMEOUT_S)
    )
    delivering = DeliveryService(database, suggesting, pushing, now=now)
    delivering.start()
    recording = RecordingService(database, now=now)
    recording.start()
    backend = Services(
        suggesting, recording, RefinementService(worker, suggesting, images),
        deadline_s=settings.deadline_s, start_training=lambda: True, delivering=delivering,
    )  # fmt: skip
    make_server(settings.host, settings.port, create_app(backend), threaded=True).serve_forever()


if __name__ == "__main__":
    main()
