"""Presets of one's own, in TOML: another preset with some things changed.

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
_PARSER_FIELDS = ("global_local_parser", "lgd_parser", "iterprime_parser")  # None where a method has none
_NETWORK_FIELDS = ("masks", "clip", "itm", "parser", "describer", *_PARSER_FIELDS)


def read_presets(path: Path) -> dict[str, Preset]:
    """Ours and those of a file, by name; one may be based on another that stands before it.

    Raises:
        SettingsError: the file cannot be read, or says something that no preset has; the message names it.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"RIS_PRESETS_FILE: {path} cannot be read as TOML: {error}") from error
    known = dict(PRESETS)
    for name, table in tables.items():
        if name in PRESETS:
            raise SettingsError(f"{path}: {name!r} is a preset of ours; give yours another name")
        if not isinstance(table, dict) or table.get("based_on") not in known:
            raise SettingsError(f"{path}: [{name}] needs based_on, one of {', '.join(known)}")
        known[name] = _change_preset(known[table["based_on"]], {"name": name, **table}, f"{path}: [{name}]")
    return known


def _change_preset(base: Preset, table: Mapping[str, Any], where: str) -> Preset:
    said = {key: value for key, value in table.items() if key != "based_on"}
    # A network is described whole: half of one publisher's and half of another's would be neither.
    whole = {key: said.pop(key) for key in _NETWORK_FIELDS if key in said}
    merged = _merge_tables(asdict(base), said, where)
    for key in _NETWORK_FIELDS:
        merged[key] = _make_source(whole[key], f"{where} {key}") if key in whole else getattr(base, key)
    try:
        return TypeAdapter(Preset).validate_python(merged)
    except ValidationError as error:
        raise _to_settings_error(error, where) from error


def _make_source(table: Any, where: str) -> Source:
    empty = asdict(Source(name="", kind="clip"))
    try:
        source = TypeAdapter(Source).validate_python(_merge_tables(empty, table, where))
    except ValidationError as error:
        raise _to_settings_error(error, where) from error
    if not source.name or not (source.folder or source.parts):
        raise SettingsError(f"{where} needs a name, a kind, and a folder or parts to fetch")
    return source


def _to_settings_error(error: ValidationError, where: str) -> SettingsError:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return SettingsError(f"{where} {place}: {first['msg']}, got {first['input']!r:.60}")


def _merge_tables(base: dict[str, Any], said: Any, where: str) -> dict[str, Any]:
    """A nested table with some values replaced; keys that the table does not have are refused."""
    if not isinstance(said, Mapping):
        raise SettingsError(f"{where} must be a table, got {said!r:.60}")
    merged = dict(base)
    for key, value in said.items():
        if key not in base:
            raise SettingsError(f"{where}: there is no {key!r}; it can be {', '.join(base)}")
        if isinstance(base[key], dict) and key not in _FREE_TABLES:
            value = _merge_tables(base[key], value, f"{where} {key}")
        merged[key] = value
    return merged
