"""The one place where real things are built and joined.

Importing this file loads no network: `/health` must answer before torch has even been imported, so
`load_pipeline` imports `pretrained`'s networks when the worker calls it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

from ris import __version__
from ris.config import Settings
from ris.core.expression import ParsedExpression
from ris.core.types import Image, Task
from ris.errors import SettingsError
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.connecting import MLBackend as OwnBackend
from ris.labelstudio.api.connecting import make_webhook_headers
from ris.labelstudio.api.fetching import ImageSource
from ris.labelstudio.api.pushing import PredictionWriter
from ris.labelstudio.images.decoding import decode_image
from ris.learning.training import TrainingService
from ris.pretrained.catalog.presets import PRESETS, Preset, find_preset
from ris.pretrained.catalog.sources import Source
from ris.pretrained.catalog.user_presets import read_presets
from ris.pretrained.catalog.weights import check_model_files
from ris.pretrained.language.synonyms import find_synonym_source, find_synonyms
from ris.pretrained.precision import check_precision, read_cpu_flags
from ris.referring.lgd import ATTRIBUTE_PROMPT, SURROUNDING_PROMPT
from ris.referring.pipeline import Pipeline
from ris.referring.protocols import Describer, Parser
from ris.service import (
    CachingDescriber,
    DeliveryService,
    RecordingService,
    RefinementService,
    SceneCache,
    SuggestionService,
    SyncService,
    Worker,
)
from ris.store.scenes import SceneFiles
from ris.store.session import Database

WRITE_TIMEOUT_S = 120.0  # for one call that writes predictions; shorter than `writing.HOLD_WRITE`


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be loaded, its files checked: everything that a suggestion depends on.

    Attributes:
        version: what Label Studio knows our suggestions by; changes whenever one could change.
        describer: which describer answers for LGD, as people read it.
        synonyms: where LGD looks up whether two nouns mean the same: "wordnet" or "lemma".
        models: the folder of the fetched networks.
        device: where the networks run.
        precision: of their arithmetic; a part of the version.
        arithmetic: precision and device, in words.
    """

    preset: Preset
    version: str
    describer: str
    synonyms: str
    describer_url: str = ""
    describer_model: str = ""
    describer_key: str = ""
    models: Path = Path()
    device: str = "cpu"
    precision: Literal["fp32", "bf16"] = "fp32"
    arithmetic: str = ""


def make_plan(settings: Settings) -> Plan:
    """Choose the networks that the settings ask for, and check their files; loads nothing.

    Raises:
        SettingsError: there is no such preset, a describer's address is without its model, or the processor
            is slower in the precision that is set.
        WeightsError: a model file is missing or damaged.
    """
    preset = find_preset(settings.preset, alternatives=settings.alternatives, known=load_presets(settings))
    models = get_models_folder(settings)
    arithmetic = check_precision(settings.precision, settings.device, read_cpu_flags())
    url, model = settings.describer_url, settings.describer_model
    if url and not model:
        raise SettingsError("RIS_DESCRIBER_URL is set but RIS_DESCRIBER_MODEL is not; name the model to ask")
    if model:
        lgd = replace(preset.lgd, attribute_prompt=ATTRIBUTE_PROMPT, surrounding_prompt=SURROUNDING_PROMPT)
        preset = replace(preset, lgd=lgd)
    describer = f"{model} at {url}" if url else model or "embedded"
    needed = [source for source in preset.sources if not model or source is not preset.describer]
    weights = check_model_files(needed, models, fetch=f"ris models fetch {preset.name}")
    key, synonyms = settings.describer_key, find_synonym_source()
    also = (
        [describer, synonyms] if settings.precision == "fp32" else [describer, synonyms, settings.precision]
    )
    return Plan(
        preset,
        compute_model_version(preset, weights, *also),
        describer,
        synonyms,
        url,
        model,
        key.get_secret_value() if key else "",
        models,
        settings.device,
        settings.precision,
        arithmetic,
    )


def load_presets(settings: Settings) -> Mapping[str, Preset]:
    """By name, ours and those of the user's file.

    Raises:
        SettingsError: the file cannot be read.
    """
    return read_presets(Path(settings.presets_file).expanduser()) if settings.presets_file else PRESETS


def get_models_folder(settings: Settings) -> Path:
    """Where fetched networks lie."""
    return Path(settings.models_folder).expanduser()


def compute_model_version(preset: Preset, weights: str, *also: str) -> str:
    """What Label Studio knows our suggestions by: changes whenever a suggestion could change.

    Args:
        weights: digest of the model files.
        also: whatever else has a say: which describer, where synonyms come from.
    """
    said = {each.name: getattr(preset, each.name) for each in fields(preset) if each.name != "summary"}
    settings = {name: _to_json_value(value) for name, value in said.items()}
    made_by = json.dumps([__version__, weights, settings, also], sort_keys=True, default=str)
    return f"{preset.name}-{hashlib.sha256(made_by.encode()).hexdigest()[:8]}"


def _to_json_value(value: Any) -> Any:
    """A preset's value for JSON; of a network its name, because what it is stands in the weights' digest."""
    if isinstance(value, Source):
        return value.name
    return value if isinstance(value, str | int | None) else asdict(value)


def load_pipeline(plan: Plan, remember: Callable[[Describer], Describer] = lambda d: d) -> Pipeline:
    """Load the networks of a plan; seconds, and most of the program's memory.

    Args:
        remember: put around the describer, such as one that keeps what was said.

    Raises:
        WeightsError: a model file is missing or damaged.
        SettingsError: the device is not there.
    """
    from ris.pretrained.device import check_device, use_threads
    from ris.pretrained.loading import Loader
    from ris.referring.global_local import GlobalLocal
    from ris.referring.iterprime import IterPrime
    from ris.referring.lgd import Lgd
    from ris.referring.spatial import Spatial

    preset = plan.preset
    check_device(plan.device)
    if preset.threads is not None:
        use_threads(preset.threads)
    loader = Loader(preset, plan.models, plan.device, plan.precision)
    parser, own_parsers = loader.parsers()
    clip, matcher = loader.encoder(), loader.matcher()
    describer = remember(_load_named_describer(plan) or loader.describer())
    proposer, refiner = loader.proposer()
    return Pipeline(
        proposer=proposer,
        refiner=refiner,
        parser=parser,
        parsers=own_parsers,
        methods=(
            GlobalLocal(clip, preset.global_local),
            Lgd(
                clip,
                describer,
                own_parsers.get("lgd", parser),
                find_synonyms(preset.lgd.synonyms),
                preset.lgd,
            ),
            IterPrime(matcher, preset.iterprime),
            Spatial(),
        ),
        ranking=preset.ranking,
        version=plan.version,
    )


def _load_named_describer(plan: Plan) -> Describer | None:
    """The describer that the settings name, behind HTTP or of transformers; None leaves it to the preset."""
    from ris.pretrained.language.describer import ChatDescriber
    from ris.pretrained.language.http_describer import HttpDescriber

    if plan.describer_url:
        return HttpDescriber(plan.describer_url, model=plan.describer_model, key=plan.describer_key)
    if plan.describer_model:
        return ChatDescriber.load(plan.describer_model, device=plan.device)
    return None


@dataclass(frozen=True, slots=True)
class Application:
    """A running backend without its HTTP edge; `close` it."""

    database: Database
    worker: Worker
    suggesting: SuggestionService
    recording: RecordingService
    syncing: SyncService
    training: TrainingService
    refining: RefinementService
    delivering: DeliveryService | None

    def close(self) -> None:
        """Finish what runs, in the order of the data; what waits is refused, and still owed."""
        self.worker.reject_jobs()
        self.training.close()
        self.syncing.close()
        self.suggesting.close()
        if self.delivering is not None:
            self.delivering.close()
        self.worker.close()
        self.recording.close()
        self.database.close()


def assemble(settings: Settings) -> Application:
    """Open the database, start the worker; the models load in the background.

    Raises:
        StoreError, WeightsError, SettingsError: each says what to do.
    """
    plan = make_plan(settings)
    database = Database.open(settings.database_url)
    load = partial(load_pipeline, plan, partial(CachingDescriber, database, now=get_utc_now))
    files = None
    if settings.scene_folder:
        files = SceneFiles(Path(settings.scene_folder), plan.version, settings.scene_folder_mb * 2**20)
    worker = Worker(load, SceneCache(settings.scene_cache_mb * 2**20, files))
    recording = RecordingService(database, now=get_utc_now)
    syncing = SyncService(
        database,
        recording,
        make_label_studio_client(settings),
        now=get_utc_now,
        webhook_headers=get_webhook_headers(settings),
    )
    if settings.label_studio_api_key and settings.sync_interval_s:
        syncing.start(settings.sync_interval_s)
    images = make_image_source(settings)
    suggesting = SuggestionService(
        database, worker, images, version=plan.version, now=get_utc_now,
        shuffled_share=settings.shuffled_share,
    )  # fmt: skip
    delivering = None
    if settings.label_studio_api_key:
        pushing = PredictionWriter(make_label_studio_client(settings, timeout_s=WRITE_TIMEOUT_S))
        delivering = DeliveryService(database, suggesting, pushing, now=get_utc_now)
        delivering.start()
    return Application(
        database=database,
        worker=worker,
        suggesting=suggesting,
        recording=recording,
        syncing=syncing,
        training=TrainingService(database, plan.version, plan.preset.ranking, now=get_utc_now),
        refining=RefinementService(worker, suggesting, images),
        delivering=delivering,
    )


def make_label_studio_client(settings: Settings, *, timeout_s: float = 30.0) -> LabelStudioClient:
    """Our side of Label Studio's API, with our own key."""
    key = settings.label_studio_api_key
    secret = key.get_secret_value() if key else None
    return LabelStudioClient(settings.label_studio_url, secret, timeout_s=timeout_s)


def get_webhook_headers(settings: Settings) -> Mapping[str, str]:
    """What a webhook must carry to be let in."""
    password = settings.basic_auth_password
    return make_webhook_headers(password.get_secret_value() if password else "")


def make_ml_backend(settings: Settings, url: str | None = None) -> OwnBackend:
    """Our side as Label Studio reaches it.

    Args:
        url: wins over the settings.

    Raises:
        InputError: that is no address that Label Studio could call.
    """
    password = settings.basic_auth_password
    return OwnBackend(
        (url or settings.own_url).rstrip("/"),
        settings.basic_auth_user,
        password.get_secret_value() if password else "",
    )


def make_image_bytes_source(settings: Settings) -> Callable[[Task], bytes]:
    """From a task to the bytes of its image's file."""
    hosts = tuple(host.strip() for host in settings.image_hosts.split(",") if host.strip())
    source = ImageSource(
        make_label_studio_client(settings), image_hosts=hosts, max_bytes=settings.max_image_bytes,
        public_url=settings.label_studio_public_url,
    )  # fmt: skip
    return lambda task: source.fetch(task.image_url, task.task_id)


def make_image_source(settings: Settings) -> Callable[[Task], Image]:
    """From a task to its decoded image."""
    fetch = make_image_bytes_source(settings)
    return lambda task: decode_image(fetch(task), max_pixels=settings.max_image_pixels)


def make_expression_parser() -> Callable[[str], ParsedExpression]:
    """The grammar of expressions, read by the embedded parser; it is loaded when the first one comes."""

    @cache
    def load() -> Parser:
        from ris.pretrained.language.parser import SpacyParser

        return SpacyParser.load(PRESETS["tiny"].parser.get_folder(Path()))

    return lambda expression: load().parse(expression)


def load_worker(settings: Settings) -> tuple[Pipeline, Callable[[Task], Image]]:
    """What a worker of `ris prelabel` is made of, wherever it runs.

    Raises:
        SettingsError, WeightsError: each says what to do.
    """
    return load_pipeline(make_plan(settings)), make_image_source(settings)


def get_utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def make_sync_service(settings: Settings) -> SyncService:
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
    recording = RecordingService(database, now=get_utc_now)
    return SyncService(
        database,
        recording,
        make_label_studio_client(settings),
        now=get_utc_now,
        webhook_headers=get_webhook_headers(settings),
    )


def make_training_service(settings: Settings) -> TrainingService:
    """Learning without a server: for `ris learn` and `ris models`. Close its database.

    Raises:
        StoreError, SettingsError, WeightsError: each says what to do.
    """
    plan = make_plan(settings)
    return TrainingService(
        Database.open(settings.database_url), plan.version, plan.preset.ranking, now=get_utc_now
    )
