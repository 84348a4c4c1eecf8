"""Composition root: it builds the services and the pipeline from the settings.

Importing this module loads no network library. `load_pipeline` imports them when the worker calls it, because
`/health` must answer before torch is imported.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from threading import Event

from ris.config import Settings
from ris.core.expression import ParsedExpression
from ris.core.types import Image, LargeImage, Task
from ris.errors import LabelStudioError, SettingsError
from ris.labelstudio.api.answers import UserAnswer, check_answer
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.connecting import MLBackend as OwnBackend
from ris.labelstudio.api.duplicates import DuplicatedTask
from ris.labelstudio.api.fetching import ImageSource
from ris.labelstudio.api.pushing import PredictionWriter
from ris.labelstudio.images.budget import DecodingBudget
from ris.labelstudio.images.decoding import decode_image, read_head
from ris.learning.training import TrainingService
from ris.planning import Endpoint, Plan, advise_preset, make_plan
from ris.pretrained.catalog.presets import PRESETS
from ris.pretrained.endpoint.budget import CallBudget
from ris.pretrained.endpoint.client import ChatClient
from ris.pretrained.endpoint.picture import encode_jpeg
from ris.pretrained.language.synonyms import find_synonyms
from ris.referring.grounding.finding import Finding
from ris.referring.grounding.usage import VlmUsage
from ris.referring.pipeline import Pipeline
from ris.referring.protocols import Describer, Method, Parser, VisionModel
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
from ris.service.asking import CachingModel
from ris.service.suggesting import ImageLoader
from ris.service.webhook_access import ProjectTokens
from ris.store.scenes import SceneFiles
from ris.store.server_lock import ServerLock
from ris.store.session import Database

log = logging.getLogger(__name__)

MAX_DATABASE_CONNECTIONS = 32  # one for each thread of a server that asks the database; the inbox has its own
SERVER_LOCK_WAIT_S = 10.0  # how long a server waits for a database that somebody else has locked
INTAKE_S = 1.0  # in which a webhook is answered: Label Studio waits for the answer
_KEY_CHECK_TIMEOUT_S = 5.0
_PROBE_CALLS = 1000  # more than a probe makes with all its retries
WRITE_TIMEOUT_S = 120.0  # for one call that writes predictions; shorter than `writing.HOLD_WRITE`


def load_pipeline(
    plan: Plan,
    remember: Callable[[Describer], Describer] = lambda d: d,
    usage: VlmUsage | None = None,
    remember_answers: Callable[[VisionModel], VisionModel] = lambda m: m,
) -> Pipeline:
    """Load the networks of a plan and join them to a pipeline. It takes seconds.

    Args:
        plan: the networks, with their files checked.
        remember: wraps the describer, e.g. with a cache of its answers.
        usage: counts the calls of the vision-language model.
        remember_answers: wraps the vision-language model, e.g. with a cache of its answers.

    Raises:
        WeightsError: a model file is missing or damaged.
        SettingsError: the machine does not have the device.
    """
    from ris.pretrained.device import check_device, use_threads
    from ris.pretrained.loading import Loader
    from ris.referring.attributes import Attributes
    from ris.referring.global_local import GlobalLocal
    from ris.referring.grounder import Grounder
    from ris.referring.iterprime import IterPrime
    from ris.referring.lgd import Lgd
    from ris.referring.spatial import Spatial
    from ris.referring.verifier import Verifier, VerifierSettings

    preset = plan.preset
    check_device(plan.device)
    if preset.threads is not None:
        use_threads(preset.threads)
    client = make_vision_model(plan.vlm, usage) if plan.vlm else None
    loader = Loader(preset, plan.models, plan.device, plan.precision)
    parser, own_parsers = loader.load_parsers()
    clip, matcher = loader.load_encoder(), loader.load_matcher()
    methods: list[Method] = []
    if clip is not None:
        methods.append(GlobalLocal(clip, preset.global_local))
        describer = _load_named_describer(plan, client, usage) or loader.load_describer()
        if describer is not None:
            lgd_parser, synonyms = own_parsers.get("lgd", parser), find_synonyms(preset.lgd.synonyms)
            methods.append(Lgd(clip, remember(describer), lgd_parser, synonyms, preset.lgd))
    if matcher is not None:
        methods.append(IterPrime(matcher, preset.iterprime))
    verifier = None
    if client is not None and plan.vlm is not None and plan.vlm.finding is not None:
        vlm = remember_answers(client)
        methods.append(Grounder(vlm, plan.vlm.finding.make_dialect(), encode_jpeg))
        if plan.vlm.verifier_margin:
            verifier = Verifier(vlm, encode_jpeg, VerifierSettings(plan.vlm.verifier_margin))
    methods.append(Spatial() if preset.has_networks else Attributes())
    proposer, refiner = loader.load_proposer()
    return Pipeline(
        proposer=proposer,
        refiner=refiner,
        parser=parser,
        parsers=own_parsers,
        methods=tuple(methods),
        verifier=verifier,
        ranking=preset.ranking,
        version=plan.version,
    )


def make_vision_model(endpoint: Endpoint, usage: VlmUsage | None = None) -> ChatClient:
    """Make the client of a vision-language model, with its budget. It connects with the first question.

    Raises:
        SettingsError: the key cannot be sent.
    """
    return ChatClient(
        endpoint.url,
        model=endpoint.model,
        key=endpoint.key.get_secret_value() if endpoint.key else "",
        timeout_s=endpoint.timeout_s,
        budget=CallBudget(endpoint.max_calls, endpoint.max_calls_per_hour),
        usage=usage,
    )


def probe_endpoint(endpoint: Endpoint) -> Finding:
    """Ask a vision-language model for shapes at known places, and find out how it writes coordinates.

    It makes some dozen calls, without the limits of the settings.

    Raises:
        EndpointError: the server failed, or no reading fits its answers.
        SettingsError: the key cannot be sent.
    """
    from ris.pretrained.endpoint.probe import probe_model  # here: OpenCV takes a while to import

    free = replace(endpoint, max_calls=_PROBE_CALLS, max_calls_per_hour=_PROBE_CALLS)
    return probe_model(make_vision_model(free))


def _load_named_describer(plan: Plan, client: ChatClient | None, usage: VlmUsage | None) -> Describer | None:
    """Load the describer that the settings name, over HTTP or of transformers; None for the preset's own."""
    from ris.pretrained.language.describer import ChatDescriber
    from ris.pretrained.language.http_describer import HttpDescriber

    if plan.describer_model is None:
        return None
    if plan.describer_url is None:
        return ChatDescriber.load(plan.describer_model, device=plan.device)
    vlm = plan.vlm
    if client is not None and vlm and (vlm.url, vlm.model) == (plan.describer_url, plan.describer_model):
        return HttpDescriber(client)
    key = plan.describer_key.get_secret_value() if plan.describer_key else ""
    return HttpDescriber(ChatClient(plan.describer_url, model=plan.describer_model, key=key, usage=usage))


@dataclass(frozen=True, slots=True)
class Application:
    """The services of a running backend, without HTTP. Call `close` at the end.

    Attributes:
        database: the record of suggestions, answers and learned rankings.
        worker: runs the networks.
        suggesting: answers tasks.
        recording: stores what annotators did.
        syncing: reads annotations from Label Studio.
        training: learns rankings.
        refining: makes masks of clicks.
        delivering: writes predictions into Label Studio; None without an API key.
        server_lock: keeps other servers from a SQLite database.
        vlm_usage: counts the calls of the vision-language model and of a describer on another server.
    """

    database: Database
    worker: Worker
    suggesting: SuggestionService
    recording: RecordingService
    syncing: SyncService
    training: TrainingService
    refining: RefinementService
    delivering: DeliveryService | None
    server_lock: ServerLock
    vlm_usage: VlmUsage

    def close(self) -> None:
        """Finish what runs and refuse what waits; deliveries that were not made stay in the database."""
        self.worker.reject_jobs()
        self.training.close()
        self.syncing.close()
        self.suggesting.close()
        if self.delivering is not None:
            self.delivering.close()
        self.worker.close()
        self.recording.close()
        self.database.close()
        self.server_lock.release()


def assemble(settings: Settings) -> Application:
    """Open the database and start the services. The networks load in the background.

    Raises:
        StoreError: the database cannot be used, or another server uses it (SQLite).
        WeightsError: a model file is missing or damaged.
        SettingsError: a setting is not allowed, or does not fit another one.
    """
    plan = make_plan(settings)
    database = Database.open(
        settings.database_url, n_connections=MAX_DATABASE_CONNECTIONS, lock_wait_s=SERVER_LOCK_WAIT_S
    )
    server_lock = ServerLock(settings.database_url)
    usage = VlmUsage()
    remember = partial(CachingDescriber, database, now=get_utc_now)
    remember_answers = partial(CachingModel, database, usage=usage, now=get_utc_now)
    load = partial(load_pipeline, plan, remember, usage, remember_answers)
    files = None
    if settings.scene_folder:
        files = SceneFiles(settings.scene_folder.expanduser(), plan.version, settings.scene_folder_mb * 2**20)
    worker = Worker(load, SceneCache(settings.scene_cache_mb * 2**20, files))
    recording = RecordingService(database, now=get_utc_now, patience_s=INTAKE_S)
    worker.start()
    recording.start()
    syncing = _make_syncing(settings, database, recording)
    if settings.label_studio_api_key and settings.sync_interval_s:
        syncing.start(settings.sync_interval_s)
    images = warn_of_photographs(settings, make_image_loader(settings))
    suggesting = SuggestionService(
        database, worker, images, version=plan.version, now=get_utc_now,
        alternatives=settings.alternatives, shuffled_share=settings.shuffled_share,
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
        server_lock=server_lock,
        vlm_usage=usage,
    )


def make_label_studio_client(
    settings: Settings, *, timeout_s: float = 30.0, total_s: float | None = None
) -> LabelStudioClient:
    """Make a client of Label Studio's API with the key of the settings."""
    key = settings.label_studio_api_key
    secret = key.get_secret_value() if key else None
    return LabelStudioClient(settings.label_studio_url, secret, timeout_s=timeout_s, total_s=total_s)


def make_project_tokens(settings: Settings, database: Database) -> ProjectTokens | None:
    """Make the tokens of webhooks; None without a password, because webhooks need none then."""
    return ProjectTokens(database, settings.login[1]) if settings.login else None


def check_label_studio_key(settings: Settings) -> str:
    """Ask Label Studio whether it accepts the key of the settings; return what is wrong, or ""."""
    if settings.label_studio_api_key is None:
        return "RIS_LABEL_STUDIO_API_KEY is not set"
    client = make_label_studio_client(settings, timeout_s=_KEY_CHECK_TIMEOUT_S, total_s=_KEY_CHECK_TIMEOUT_S)
    try:
        check_answer(client.call("GET", "/api/current-user/whoami"), UserAnswer, "the user of our key")
    except LabelStudioError as error:
        return str(error)
    return ""


def make_ml_backend(settings: Settings, url: str | None = None) -> OwnBackend:
    """Describe this backend as Label Studio reaches it: address, user and password.

    Args:
        settings: give address, user and password.
        url: address to use instead of the one in the settings.

    Raises:
        InputError: Label Studio cannot call this address.
    """
    user, password = settings.login or ("", "")
    return OwnBackend((url or settings.own_url).rstrip("/"), user, password)


def make_image_bytes_source(settings: Settings) -> Callable[[Task], bytes]:
    """Make the function that fetches the file of a task's image."""
    source = ImageSource(
        make_label_studio_client(settings),
        image_hosts=settings.image_hosts,
        max_bytes=settings.max_image_bytes,
        public_url=settings.label_studio_public_url or "",
    )
    return lambda task: source.fetch(task.image_url, task.task_id)


def make_image_loader(settings: Settings) -> Callable[[Task], Image | LargeImage]:
    """Make the function that fetches and decodes a task's image, within a budget of all threads together."""
    fetch = make_image_bytes_source(settings)
    budget = DecodingBudget(max_pixels=settings.max_image_pixels)

    def load(task: Task) -> Image | LargeImage:
        data = fetch(task)
        if read_head(data, max_pixels=settings.max_image_pixels).is_large:
            return LargeImage(lambda: budget.decode(fetch(task)))
        return budget.decode(data)

    return load


def make_image_source(settings: Settings) -> Callable[[Task], Image]:
    """Make the function that fetches and decodes a task's image."""
    fetch = make_image_bytes_source(settings)
    return lambda task: decode_image(fetch(task), max_pixels=settings.max_image_pixels)


def warn_of_photographs(settings: Settings, fetch: ImageLoader) -> ImageLoader:
    """Return the same image source; it logs once which preset suits photographs, when the first one comes.

    Large images are not looked at, because they are decoded later.

    Args:
        settings: with the chosen preset.
        fetch: the image source.
    """
    has_warned = Event()

    def fetch_image(task: Task) -> Image | LargeImage:
        image = fetch(task)
        if isinstance(image, LargeImage) or has_warned.is_set():
            return image
        if advice := advise_preset(settings, [image.pixels]):
            has_warned.set()
            log.warning("task %s of project %s: %s", task.task_id, task.project, advice)
        return image

    return fetch_image


def make_expression_parser() -> Callable[[str], ParsedExpression]:
    """Make the function that parses expressions with the embedded parser, which its first call loads."""

    @cache
    def load() -> Parser:
        from ris.pretrained.language.parser import SpacyParser

        return SpacyParser.load(PRESETS["tiny"].parser.get_folder(Path()))

    return lambda expression: load().parse(expression)


def load_worker_pipeline(settings: Settings) -> Pipeline:
    """Load the pipeline of one worker process of `ris prelabel`.

    Raises:
        SettingsError: a setting is not allowed, or does not fit another one.
        WeightsError: a model file is missing or damaged.
    """
    return load_pipeline(make_plan(settings))


def get_utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def make_sync_service(
    settings: Settings, may_remove: Callable[[Sequence[DuplicatedTask]], bool]
) -> SyncService:
    """Make the sync of `ris sync`. The caller closes its recording and its database.

    Args:
        settings: name the database and Label Studio.
        may_remove: asked before duplicated predictions are removed from Label Studio.

    Raises:
        SettingsError: there is no key for Label Studio.
        StoreError: the database cannot be used.
    """
    if settings.label_studio_api_key is None:
        raise SettingsError(
            "RIS_LABEL_STUDIO_API_KEY is not set; Label Studio's annotations cannot be read without a key"
        )
    database = Database.open(settings.database_url)
    recording = RecordingService(database, now=get_utc_now)
    recording.start()
    syncing = _make_syncing(settings, database, recording)
    syncing.may_remove = may_remove
    return syncing


def _make_syncing(settings: Settings, database: Database, recording: RecordingService) -> SyncService:
    return SyncService(
        database,
        recording,
        make_label_studio_client(settings),
        now=get_utc_now,
        tokens=make_project_tokens(settings, database),
    )


def make_training_service(settings: Settings) -> TrainingService:
    """Make the training of `ris learn` and `ris models`. The caller closes its database.

    Raises:
        StoreError: the database cannot be used.
        SettingsError: a setting is not allowed, or does not fit another one.
        WeightsError: a model file is missing or damaged.
    """
    plan = make_plan(settings)
    return TrainingService(
        Database.open(settings.database_url), plan.version, plan.preset.ranking, now=get_utc_now
    )
