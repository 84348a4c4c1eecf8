"""The one place where real things are built and joined.

Importing this file loads no network: `/health` must answer before torch has even been imported, so
`load_pipeline` imports `pretrained`'s networks when the worker calls it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from backend import __version__
from backend.config import Settings
from backend.core.types import Image, Task
from backend.errors import SettingsError
from backend.labelstudio.client import LabelStudioClient
from backend.labelstudio.fetching import ImageSource
from backend.labelstudio.images import decode
from backend.learning.training import Training
from backend.pretrained.presets import Preset, preset_named
from backend.pretrained.synonyms import find_synonyms
from backend.pretrained.weights import verify
from backend.referring.lgd import ATTRIBUTE_PROMPT, SURROUNDING_PROMPT
from backend.referring.pipeline import Pipeline
from backend.referring.protocols import Describer
from backend.service import Recording, Refining, RememberedDescriber, SceneCache, Suggesting, Syncing, Worker
from backend.store.scenes import SceneFiles
from backend.store.session import Database


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be loaded, its files checked: everything that a suggestion depends on.

    Attributes:
        version: what Label Studio knows our suggestions by; changes whenever one could change.
        describer: which describer answers for LGD, as people read it.
        synonyms: where LGD looks up whether two nouns mean the same: "wordnet" or "lemma".
        device: where the networks run.
        precision: of their arithmetic; a part of the version.
    """

    preset: Preset
    version: str
    describer: str
    synonyms: str
    describer_url: str = ""
    describer_model: str = ""
    describer_key: str = ""
    device: str = "cpu"
    precision: Literal["fp32", "bf16"] = "fp32"


def planned(settings: Settings) -> Plan:
    """Choose the networks that the settings ask for, and check their files; loads nothing.

    Raises:
        SettingsError: there is no such preset, or a describer's address without its model.
        WeightsError: a model file is missing or damaged.
    """
    preset = preset_named(settings.preset, alternatives=settings.alternatives)
    url, model = settings.describer_url, settings.describer_model
    if url and not model:
        raise SettingsError("RIS_DESCRIBER_URL is set but RIS_DESCRIBER_MODEL is not; name the model to ask")
    if model:
        lgd = replace(preset.lgd, attribute_prompt=ATTRIBUTE_PROMPT, surrounding_prompt=SURROUNDING_PROMPT)
        preset = replace(preset, lgd=lgd)
    describer = f"{model} at {url}" if url else model or "embedded"
    key, synonyms = settings.describer_key, find_synonyms().source
    also = (
        [describer, synonyms] if settings.precision == "fp32" else [describer, synonyms, settings.precision]
    )
    return Plan(
        preset,
        model_version(preset, verify(preset), *also),
        describer,
        synonyms,
        url,
        model,
        key.get_secret_value() if key else "",
        settings.device,
        settings.precision,
    )


def model_version(preset: Preset, weights: str, *also: str) -> str:
    """What Label Studio knows our suggestions by: changes whenever a suggestion could change.

    Args:
        weights: digest of the model files.
        also: whatever else has a say: which describer, where synonyms come from.
    """
    settings = {key: value for key, value in asdict(preset).items() if not isinstance(value, Path)}
    made_by = json.dumps([__version__, weights, settings, also], sort_keys=True, default=str)
    return f"{preset.name}-{hashlib.sha256(made_by.encode()).hexdigest()[:8]}"


def load_pipeline(plan: Plan, remember: Callable[[Describer], Describer] = lambda d: d) -> Pipeline:
    """Load the networks of a plan; seconds, and most of the program's memory.

    Args:
        remember: put around the describer, such as one that keeps what was said.

    Raises:
        WeightsError: a model file is missing or damaged.
        SettingsError: the device is not there.
    """
    from backend.pretrained.clip import ClipEncoder
    from backend.pretrained.device import check_device, use_threads
    from backend.pretrained.itm import BlipMatcher
    from backend.pretrained.parser import SpacyParser
    from backend.pretrained.sam import SamProposer, load_sam
    from backend.referring.global_local import GlobalLocal
    from backend.referring.iterprime import IterPrime
    from backend.referring.lgd import Lgd
    from backend.referring.spatial import Spatial

    preset, device = plan.preset, plan.device
    check_device(device)
    if preset.threads is not None:
        use_threads(preset.threads)
    parser = SpacyParser.load(preset.folder / "parser")
    precision = plan.precision
    clip = ClipEncoder.load(preset.folder / "clip", device=device, precision=precision)
    matcher = BlipMatcher.load(
        preset.folder / "itm", layer=preset.itm_layer, device=device, precision=precision
    )
    describer = remember(_describer(plan))
    proposer = SamProposer(load_sam(preset.folder / "sam", device=device), preset.proposals)
    return Pipeline(
        proposer=proposer,
        refiner=proposer,
        parser=parser,
        methods=(
            GlobalLocal(clip, preset.global_local),
            Lgd(clip, describer, parser, find_synonyms(), preset.lgd),
            IterPrime(matcher, preset.iterprime),
            Spatial(),
        ),
        ranking=preset.ranking,
        version=plan.version,
    )


def _describer(plan: Plan) -> Describer:
    """The describer that the plan names: behind HTTP, of transformers, or the preset's own."""
    from backend.pretrained.describer import BlipDescriber, ChatDescriber
    from backend.pretrained.http_describer import HttpDescriber

    if plan.describer_url:
        return HttpDescriber(plan.describer_url, model=plan.describer_model, key=plan.describer_key)
    if plan.describer_model:
        return ChatDescriber.load(plan.describer_model, device=plan.device)
    eyes = plan.preset.iterprime  # the embedded two start from the same eyes: the same numbers of pixels
    folder = plan.preset.folder / "describer"
    return BlipDescriber.load(folder, mean=eyes.mean, std=eyes.std, device=plan.device)


@dataclass(frozen=True, slots=True)
class Assembled:
    """A running backend without its HTTP edge; `close` it."""

    database: Database
    worker: Worker
    suggesting: Suggesting
    recording: Recording
    syncing: Syncing
    training: Training
    refining: Refining

    def close(self) -> None:
        """Finish what was begun, in the order of the data."""
        self.training.close()
        self.syncing.close()
        self.suggesting.close()
        self.worker.close()
        self.recording.close()
        self.database.close()


def assemble(settings: Settings) -> Assembled:
    """Open the database, start the worker; the models load in the background.

    Raises:
        StoreError, WeightsError, SettingsError: each says what to do.
    """
    plan = planned(settings)
    database = Database.open(settings.database_url)
    load = partial(load_pipeline, plan, partial(RememberedDescriber, database, now=utc_now))
    files = None
    if settings.scene_folder:
        files = SceneFiles(Path(settings.scene_folder), plan.version, settings.scene_folder_mb * 2**20)
    worker = Worker(load, SceneCache(settings.scene_cache_mb * 2**20, files))
    recording = Recording(database, now=utc_now)
    syncing = Syncing(database, recording, label_studio(settings), now=utc_now)
    if settings.label_studio_api_key and settings.sync_interval_s:
        syncing.start(settings.sync_interval_s)
    images = image_source(settings)
    suggesting = Suggesting(
        database, worker, images, version=plan.version, now=utc_now,
        shuffled_share=settings.shuffled_share,
    )  # fmt: skip
    return Assembled(
        database=database,
        worker=worker,
        suggesting=suggesting,
        recording=recording,
        syncing=syncing,
        training=Training(database, plan.version, plan.preset.ranking, now=utc_now),
        refining=Refining(worker, suggesting, images),
    )


def label_studio(settings: Settings) -> LabelStudioClient:
    """Our side of Label Studio's API, with our own key."""
    key = settings.label_studio_api_key
    return LabelStudioClient(settings.label_studio_url, key.get_secret_value() if key else None)


def image_bytes(settings: Settings) -> Callable[[Task], bytes]:
    """From a task to the bytes of its image's file."""
    hosts = tuple(host.strip() for host in settings.image_hosts.split(",") if host.strip())
    source = ImageSource(
        label_studio(settings), image_hosts=hosts, max_bytes=settings.max_image_bytes,
        public_url=settings.label_studio_public_url,
    )  # fmt: skip
    return lambda task: source.fetch(task.image_url, task.task_id)


def image_source(settings: Settings) -> Callable[[Task], Image]:
    """From a task to its decoded image."""
    fetch = image_bytes(settings)
    return lambda task: decode(fetch(task), max_pixels=settings.max_image_pixels)


def labeller_parts(settings: Settings) -> tuple[Pipeline, Callable[[Task], Image]]:
    """What a worker of `ris prelabel` is made of, wherever it runs.

    Raises:
        SettingsError, WeightsError: each says what to do.
    """
    return load_pipeline(planned(settings)), image_source(settings)


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def syncing_of(settings: Settings) -> Syncing:
    """A sync without a server: for `ris sync`. Close its recording and its database.

    Raises:
        SettingsError: there is no key for Label Studio.
        StoreError: the database cannot be used.
    """
    if settings.label_studio_api_key is None:
        raise SettingsError(
            "RIS_LABEL_STUDIO_API_KEY is not set; Label Studio's answers need a key to be read"
        )
    database = Database.open(settings.database_url)
    recording = Recording(database, now=utc_now)
    return Syncing(database, recording, label_studio(settings), now=utc_now)


def training_of(settings: Settings) -> Training:
    """Learning without a server: for `ris learn` and `ris models`. Close its database.

    Raises:
        StoreError, SettingsError, WeightsError: each says what to do.
    """
    plan = planned(settings)
    return Training(Database.open(settings.database_url), plan.version, plan.preset.ranking, now=utc_now)
