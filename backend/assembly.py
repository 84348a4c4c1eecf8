"""The one place where real things are built and joined.

Importing this file loads no network: `/health` must answer before torch has even been imported, so
`load_pipeline` imports `pretrained`'s networks when the worker calls it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from backend import __version__
from backend.config import Settings
from backend.core.types import Image, Task
from backend.labelstudio.client import LabelStudioClient
from backend.labelstudio.images import decode
from backend.pretrained.presets import Preset, preset_named
from backend.pretrained.weights import verify
from backend.referring.pipeline import Pipeline
from backend.service import Recording, SceneCache, Suggesting, Worker
from backend.store.session import Database


def model_version(preset: Preset, weights: str) -> str:
    """What Label Studio knows our suggestions by: changes whenever a suggestion could change.

    Args:
        weights: digest of the model files.
    """
    settings = {key: value for key, value in asdict(preset).items() if not isinstance(value, Path)}
    made_by = json.dumps([__version__, weights, settings], sort_keys=True, default=str)
    return f"{preset.name}-{hashlib.sha256(made_by.encode()).hexdigest()[:8]}"


def load_pipeline(preset: Preset, version: str) -> Pipeline:
    """Load the networks of a preset; seconds, and most of the program's memory.

    Raises:
        WeightsError: a model file is missing or damaged.
    """
    from backend.pretrained.clip import ClipEncoder
    from backend.pretrained.parser import SpacyParser
    from backend.pretrained.sam import SamProposer, load_sam
    from backend.referring.global_local import GlobalLocal

    return Pipeline(
        proposer=SamProposer(load_sam(preset.folder / "sam"), preset.proposals),
        parser=SpacyParser.load(preset.folder / "parser"),
        methods=(GlobalLocal(ClipEncoder.load(preset.folder / "clip"), preset.global_local),),
        ranking=preset.ranking,
        version=version,
    )


def pipeline_of(preset_name: str, *, alternatives: int | None = None) -> Callable[[], Pipeline]:
    """A loader for the preset's pipeline, its files checked now.

    Raises:
        SettingsError: there is no such preset.
        WeightsError: a model file is missing or damaged.
    """
    preset = preset_named(preset_name, alternatives=alternatives)
    return partial(load_pipeline, preset, model_version(preset, verify(preset)))


@dataclass(frozen=True, slots=True)
class Assembled:
    """A running backend without its HTTP edge; `close` it."""

    database: Database
    worker: Worker
    suggesting: Suggesting
    recording: Recording

    def close(self) -> None:
        """Finish what was begun, in the order of the data."""
        self.suggesting.close()
        self.worker.close()
        self.recording.close()
        self.database.close()


def assemble(settings: Settings) -> Assembled:
    """Open the database, start the worker; the models load in the background.

    Raises:
        StoreError, WeightsError, SettingsError: each says what to do.
    """
    preset = preset_named(settings.preset, alternatives=settings.alternatives)
    version = model_version(preset, verify(preset))
    database = Database.open(settings.database_url)
    worker = Worker(partial(load_pipeline, preset, version), SceneCache(settings.scene_cache_mb * 2**20))
    return Assembled(
        database=database,
        worker=worker,
        suggesting=Suggesting(database, worker, image_source(settings), version=version, now=utc_now),
        recording=Recording(database, now=utc_now),
    )


def label_studio(settings: Settings) -> LabelStudioClient:
    """Our side of Label Studio's API, with our own key."""
    key = settings.label_studio_api_key
    hosts = tuple(host.strip() for host in settings.image_hosts.split(",") if host.strip())
    return LabelStudioClient(
        settings.label_studio_url,
        key.get_secret_value() if key else None,
        image_hosts=hosts,
        max_bytes=settings.max_image_bytes,
    )


def image_source(settings: Settings) -> Callable[[Task], Image]:
    """From a task to its decoded image."""
    client = label_studio(settings)

    def fetch(task: Task) -> Image:
        return decode(client.fetch_image(task.image_url, task.task_id), max_pixels=settings.max_image_pixels)

    return fetch


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)
