"""Choose networks by the settings, check their files and name the model version. No network is loaded."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr

from ris.config import Settings
from ris.core.photographs import are_photographs
from ris.core.versions import NO_NETWORK, NO_NETWORK_PRESET
from ris.errors import SettingsError, WeightsError
from ris.pretrained.catalog.costs import estimate_seconds, get_image_cost, measure_product_rate
from ris.pretrained.catalog.presets import PRESETS, Preset, find_preset
from ris.pretrained.catalog.sources import Source
from ris.pretrained.catalog.user_presets import read_presets
from ris.pretrained.catalog.weights import check_model_files
from ris.pretrained.language.synonyms import find_synonym_source
from ris.pretrained.precision import choose_precision
from ris.referring.grounder import GROUNDER_REVISION, GROUNDER_TEMPERATURE
from ris.referring.grounding.finding import Finding, get_finding_path, read_finding
from ris.referring.lgd import ATTRIBUTE_PROMPT, SURROUNDING_PROMPT
from ris.referring.verifier import VERIFIER, VERIFIER_REVISION, VERIFIER_TEMPERATURE

# Raise it by one in every commit that changes what the code makes of the same networks and settings: a
# method's scores, the fusion, the ranking, the cleaning or the choice of masks. Suggestions are then computed
# anew, and rankings that were learned from the old scores are left behind. `tests/test_golden_outputs.py`
# fails when outputs changed and this number did not.
ALGORITHM_REVISION = 1

# Settings of a preset that change no mask and no score: `summary` is text, `threads` changes the speed.
_UNVERSIONED_PRESET_FIELDS = frozenset({"summary", "threads"})
# Settings of the ranking that make no learned ranking wrong, and what is only learned.
_UNVERSIONED_RANKING_FIELDS = frozenset({"alternatives", "absence", "prechosen_from"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A vision-language model on another server.

    Attributes:
        url: up to and including the version.
        model: its name at the server.
        key: sent to the server; None sends none.
        timeout_s: of one question, with its retries.
        max_calls, max_calls_per_hour: for one expression of an image, and within an hour.
        finding: of `ris models probe`; None before it, and then the model is asked neither where things are
            nor which mask is meant.
        verifier_margin: see `VerifierSettings`; 0 has no verifier.
    """

    url: str
    model: str
    key: SecretStr | None
    timeout_s: float
    max_calls: int
    max_calls_per_hour: int
    finding: Finding | None
    verifier_margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The networks to load, with their files checked, and everything else that a suggestion depends on.

    Attributes:
        preset: the networks and the numbers of the methods.
        version: names the networks and methods, see `compute_model_version`.
        describer: the describer of LGD, as people read it; "none" where the preset has no LGD.
        synonyms: the source of LGD's synonyms: "wordnet" or "lemma".
        describer_url, describer_model, describer_key: of the describer that replaces the preset's own.
        models: the folder of the fetched networks.
        device: the device that runs the networks.
        precision: of the arithmetic of the methods' networks.
        arithmetic: precision and device, in words.
        vlm: the vision-language model that is asked where things are; None without one.
    """

    preset: Preset
    version: str
    describer: str
    synonyms: str
    describer_url: str | None
    describer_model: str | None
    describer_key: SecretStr | None
    models: Path
    device: str
    precision: Literal["fp32", "bf16"]
    arithmetic: str
    vlm: Endpoint | None = None


def make_plan(settings: Settings) -> Plan:
    """Choose the networks that the settings name and check their files; no network is loaded.

    Raises:
        SettingsError: there is no such preset, the URL of a describer or of a vision-language model is
            without its model, or the processor is slower in the precision that is set.
        WeightsError: a model file is missing or damaged.
    """
    preset = find_preset(settings.preset, alternatives=settings.alternatives, known=load_presets(settings))
    models = get_models_folder(settings)
    precision, arithmetic = choose_precision(settings.precision, settings.device, models)
    vlm = choose_endpoint(settings)
    url, model, key = settings.describer_url, settings.describer_model, settings.describer_key
    if url and not model:
        raise SettingsError("RIS_DESCRIBER_URL is set but RIS_DESCRIBER_MODEL is not; name the model to ask")
    if vlm is not None and not model:
        url, model, key = vlm.url, vlm.model, vlm.key
    if model and preset.describer is not None:
        lgd = replace(preset.lgd, attribute_prompt=ATTRIBUTE_PROMPT, surrounding_prompt=SURROUNDING_PROMPT)
        preset = replace(preset, lgd=lgd)
    if vlm is not None and vlm.finding is not None:
        asking = {"grounder": GROUNDER_TEMPERATURE}
        if vlm.verifier_margin:
            asking[VERIFIER] = VERIFIER_TEMPERATURE
        temperatures = {**asking, **preset.ranking.temperatures}
        ranking = replace(
            preset.ranking, temperatures=temperatures, prechosen_from=settings.no_referent_prechosen_from
        )
        preset = replace(preset, ranking=ranking)
    describer = f"{model} at {url}" if url else model or "embedded"
    if preset.describer is None:
        describer = "none"  # no method of the preset asks one
    needed = [source for source in preset.sources if not model or source is not preset.describer]
    weights = check_model_files(needed, models, fetch=f"ris models fetch {preset.name}")
    synonyms = find_synonym_source()
    others = [describer, synonyms, *([precision] if precision != "fp32" else [])]
    if vlm is not None and vlm.finding is not None:
        others.append(f"{vlm.model} at {vlm.url}: {vlm.finding.key}; {GROUNDER_REVISION}")
        if vlm.verifier_margin:
            others.append(f"verifier {VERIFIER_REVISION}, margin {vlm.verifier_margin}")
    return Plan(
        preset=preset,
        version=compute_model_version(preset, weights, *others),
        describer=describer,
        synonyms=synonyms,
        describer_url=url,
        describer_model=model,
        describer_key=key,
        models=models,
        device=settings.device,
        precision=precision,
        arithmetic=arithmetic,
        vlm=vlm,
    )


def choose_endpoint(settings: Settings, *, with_finding: bool = True) -> Endpoint | None:
    """Return the vision-language model that the settings name; None without one.

    Args:
        settings: name it.
        with_finding: False leaves out what was found by the last probe, because a new one is made.

    Raises:
        SettingsError: the URL is without the model or the other way round, or the finding is damaged.
    """
    if (settings.vlm_url is None) != (settings.vlm_model is None):
        there, missing = ("URL", "MODEL") if settings.vlm_url else ("MODEL", "URL")
        raise SettingsError(f"RIS_VLM_{there} is set but RIS_VLM_{missing} is not; set both or none")
    if settings.vlm_url is None or settings.vlm_model is None:
        return None
    path = get_finding_path(get_models_folder(settings), settings.vlm_url, settings.vlm_model)
    return Endpoint(
        settings.vlm_url,
        settings.vlm_model,
        settings.vlm_key,
        timeout_s=settings.vlm_timeout_s,
        max_calls=settings.vlm_max_calls,
        max_calls_per_hour=settings.vlm_max_calls_per_hour,
        finding=read_finding(path) if with_finding else None,
        verifier_margin=settings.verifier_margin,
    )


def advise_preset(settings: Settings, pictures: Iterable[NDArray[np.uint8]]) -> str:
    """Say which preset suits photographs; "" where the chosen one does, or the pictures are no photographs.

    The choice stays with `RIS_PRESET`: another preset is another model version, which changes every project.

    Args:
        settings: with the chosen preset.
        pictures: uint8 [H, W, 3], RGB, the first few; they are not read where no advice is possible.

    Raises:
        SettingsError: there is no such preset.
    """
    known = load_presets(settings)
    chosen = find_preset(settings.preset, known=known)
    if not chosen.has_toy_networks or not are_photographs(pictures):
        return ""
    return (
        f"these pictures look like photographs, and the networks of preset {chosen.name!r} are toys, which "
        f"know drawn scenes only: {describe_other_presets(settings)}"
    )


def describe_other_presets(settings: Settings) -> str:
    """Say what to set where the embedded toy networks do not suit: fetched networks if there are any.

    Raises:
        SettingsError: the presets cannot be read.
    """
    known, models = load_presets(settings), get_models_folder(settings)
    fetched = next((preset.name for preset in known.values() if _is_fetched(preset, models)), None)
    if fetched is not None:
        return f"set RIS_PRESET={fetched}, whose networks are on this machine"
    base = PRESETS["base"]
    seconds = estimate_seconds(get_image_cost(base.name), measure_product_rate()) or 0.0
    return (
        f"set RIS_PRESET={NO_NETWORK_PRESET}, which has {NO_NETWORK}; or run `ris models fetch {base.name}` "
        f"and set RIS_PRESET={base.name}: {base.download_gb:.1f} GB to download, {base.memory_gb:.1f} GB of "
        f"memory for weights, and about {seconds:.0f} s an image on this machine's CPU, estimated by a "
        "self-test under its present load, without the describer"
    )


def _is_fetched(preset: Preset, models: Path) -> bool:
    """Whether all networks of a preset are on this machine and none of them is a toy."""
    if not preset.has_networks or preset.has_toy_networks:
        return False
    try:
        check_model_files(preset.sources, models, fetch="")
    except WeightsError:
        return False
    return True


def load_presets(settings: Settings) -> Mapping[str, Preset]:
    """Load all presets by name: ours and those of the user's file.

    Raises:
        SettingsError: the file cannot be read.
    """
    return read_presets(settings.presets_file.expanduser()) if settings.presets_file else PRESETS


def settle_precision(settings: Settings) -> Settings:
    """Replace the precision "auto" by what it is on this machine, for workers that may be on others.

    Raises:
        SettingsError: the processor is slower in the precision that is set, or lacks the device.
    """
    models = get_models_folder(settings)
    precision, _ = choose_precision(settings.precision, settings.device, models)
    return settings.model_copy(update={"precision": precision})


def get_models_folder(settings: Settings) -> Path:
    """Return the folder of fetched networks."""
    return settings.models_folder.expanduser()


def compute_model_version(preset: Preset, weights: str, *others: str) -> str:
    """Name the networks and methods: "tiny-1a2b3c4d", the preset's name and a hash.

    The hash covers the networks' files, the settings of every method and of the ranking, `others` and
    `ALGORITHM_REVISION`. It leaves out the release, the number of threads and the number of alternatives,
    because learned rankings are kept under this version and none of the three makes them wrong. Suggestions
    are stored under `referring.ranking.make_suggestion_version`, which adds the number of alternatives.

    Args:
        preset: the networks and the numbers of the methods.
        weights: digest of the model files.
        others: what else changes an output: the describer, the source of the synonyms, the precision.
    """
    ranking = {k: v for k, v in asdict(preset.ranking).items() if k not in _UNVERSIONED_RANKING_FIELDS}
    values = {f.name: getattr(preset, f.name) for f in fields(preset)} | {"ranking": ranking}
    settings = {
        name: _to_json_value(value)
        for name, value in values.items()
        if name not in _UNVERSIONED_PRESET_FIELDS
    }
    content = json.dumps([ALGORITHM_REVISION, weights, settings, others], sort_keys=True, default=str)
    return f"{preset.name}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _to_json_value(value: Any) -> Any:
    """Convert a preset's value for JSON; a network becomes its name, its files are in the weights' digest."""
    if isinstance(value, Source):
        return value.name
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
