"""Presets in a user's TOML file: each is another preset with some values changed.

[mine]
based_on = "base"
summary = "our CLIP, tuned on shop windows"
proposals = { points_per_side = 32 }
global_local = { view_weight = 0.85 }

[mine.clip]
name = "shop-clip"
kind = "clip"
folder = "/data/shop-clip"

[mine.lgd_parser]
name = "our-parser"
kind = "spacy"
folder = "/data/our-parser"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ris.errors import SettingsError
from ris.pretrained.catalog.presets import PRESETS, Preset
from ris.pretrained.catalog.sources import Source

_FREE_TABLES = ("temperatures", "weights", "by_kind")  # tables whose keys the user chooses
_TRAINING_DATA_KEY = "saw"  # the key of `Source.training_data`; users' files have it, so it stays
_PARSER_FIELDS = ("global_local_parser", "lgd_parser", "iterprime_parser")  # None where a method has none
_NETWORK_FIELDS = ("masks", "clip", "itm", "parser", "describer", *_PARSER_FIELDS)


def read_presets(path: Path) -> dict[str, Preset]:
    """Read the presets of a file and add them to the built-in ones.

    Args:
        path: a TOML file; a preset may be based on one that stands before it.

    Returns:
        Built-in and user presets by name.

    Raises:
        SettingsError: the file cannot be read, or has a wrong key or value; the message names it.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"RIS_PRESETS_FILE: {path} cannot be read as TOML: {error}") from error
    known = dict(PRESETS)
    for name, table in tables.items():
        if name in PRESETS:
            raise SettingsError(f"{path}: {name!r} is the name of a built-in preset; choose another name")
        if not isinstance(table, dict) or table.get("based_on") not in known:
            raise SettingsError(f"{path}: [{name}] needs based_on, one of {', '.join(known)}")
        known[name] = _change_preset(known[table["based_on"]], {"name": name, **table}, f"{path}: [{name}]")
    return known


def _change_preset(base: Preset, table: Mapping[str, Any], where: str) -> Preset:
    changes = {key: value for key, value in table.items() if key != "based_on"}
    # A network's table replaces the base's whole: merged, it would mix files of two networks.
    networks = {key: changes.pop(key) for key in _NETWORK_FIELDS if key in changes}
    merged = _merge_tables(asdict(base), changes, where)
    for key in _NETWORK_FIELDS:
        merged[key] = _make_source(networks[key], f"{where} {key}") if key in networks else getattr(base, key)
    try:
        return TypeAdapter(Preset).validate_python(merged)
    except ValidationError as error:
        raise _to_settings_error(error, where) from error


def _make_source(table: Any, where: str) -> Source:
    empty = asdict(Source(name="", kind="clip"))
    empty[_TRAINING_DATA_KEY] = empty.pop("training_data")
    merged = _merge_tables(empty, table, where)
    merged["training_data"] = merged.pop(_TRAINING_DATA_KEY)
    try:
        source = TypeAdapter(Source).validate_python(merged)
    except ValidationError as error:
        raise _to_settings_error(error, where) from error
    if not source.name or not (source.folder or source.parts):
        raise SettingsError(f"{where} needs a name, a kind, and a folder or parts to fetch")
    return source


def _to_settings_error(error: ValidationError, where: str) -> SettingsError:
    first = error.errors()[0]
    place = ".".join(_TRAINING_DATA_KEY if part == "training_data" else str(part) for part in first["loc"])
    return SettingsError(f"{where} {place}: {first['msg']}, got {first['input']!r:.60}")


def _merge_tables(base: dict[str, Any], changes: Any, where: str) -> dict[str, Any]:
    """Replace values in a nested table; a key that the table does not have is an error."""
    if not isinstance(changes, Mapping):
        raise SettingsError(f"{where} must be a table, got {changes!r:.60}")
    merged = dict(base)
    for key, value in changes.items():
        if key not in base:
            raise SettingsError(f"{where}: unknown key {key!r}; it can be {', '.join(base)}")
        if isinstance(base[key], dict) and key not in _FREE_TABLES:
            value = _merge_tables(base[key], value, f"{where} {key}")
        merged[key] = value
    return merged
