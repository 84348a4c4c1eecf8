"""Choose networks by the settings, check their files and name the model version. No network is loaded."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ris.config import Settings
from ris.errors import SettingsError
from ris.pretrained.catalog.presets import PRESETS, Preset, find_preset
from ris.pretrained.catalog.sources import Source
from ris.pretrained.catalog.user_presets import read_presets
from ris.pretrained.catalog.weights import check_model_files
from ris.pretrained.language.synonyms import find_synonyms
from ris.pretrained.precision import check_precision, read_cpu_flags
from ris.referring.lgd import ATTRIBUTE_PROMPT, SURROUNDING_PROMPT

# Raise it by one in every commit that changes what the code makes of the same networks and settings: a
# method's scores, the fusion, the ranking, the cleaning or the choice of masks. Suggestions are then computed
# anew, and rankings that were learned from the old scores are left behind. `tests/test_golden_outputs.py`
# fails when outputs changed and this number did not.
ALGORITHM_REVISION = 1

# Settings of a preset that change no mask and no score: `summary` is text, `threads` changes the speed.
_UNVERSIONED_PRESET_FIELDS = frozenset({"summary", "threads"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be loaded, its files checked: everything that a suggestion depends on.

    Attributes:
        version: names the networks and methods, see `compute_model_version`.
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
    key, synonyms = settings.describer_key, find_synonyms(preset.lgd.synonyms).source
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


def compute_model_version(preset: Preset, weights: str, *others: str) -> str:
    """Name the networks and methods: "tiny-1a2b3c4d", the preset's name and a hash.

    The hash covers the networks' files, the settings of every method and of the ranking, `others` and
    `ALGORITHM_REVISION`. It leaves out the release, the number of threads and the number of alternatives,
    because learned rankings are kept under this version and none of the three makes them wrong. Suggestions
    are stored under `referring.ranking.make_suggestion_version`, which adds the number of alternatives.

    Args:
        weights: digest of the model files.
        others: what else changes an output: the describer, the source of the synonyms, the precision.
    """
    ranking = {k: v for k, v in asdict(preset.ranking).items() if k != "alternatives"}
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
