import json
from dataclasses import replace

import pytest

from ris.errors import SettingsError
from ris.referring.grounding.finding import (
    Finding,
    find_prior,
    get_finding_path,
    read_finding,
    write_finding,
)
from ris.referring.grounding.reading import Reading

FOUND = Finding("m", "gemini", "json", ("box_2d",), Reading(is_row_first=True), 0.95, 0.01, True)


@pytest.mark.parametrize(
    ("name", "dialect"),
    [("Qwen/Qwen2.5-VL-7B-Instruct", "qwen2.5-vl"), ("qwen2.5vl:7b", "qwen2.5-vl"),
     ("qwen3-vl:8b", "qwen3-vl"), ("Qwen3.8-Flash", "qwen3-vl"), ("Qwen2-VL-2B", "box-tags"),
     ("allenai/Molmo-7B-O-0924", "molmo"),
     ("Molmo2-8B", "molmo-2"), ("gemini-2.5-flash", "gemini"), ("gemma-3-27b", "gemini"),
     ("paligemma2-3b-mix", "paligemma"), ("VisionReasoner-7B", "visionreasoner"), ("gpt-9", "qwen3-vl")],
)  # fmt: skip
def test_a_name_suggests_a_family(name, dialect):
    assert find_prior(name).name == dialect


def test_a_finding_is_read_as_it_was_written(tmp_path):
    path = get_finding_path(tmp_path, "http://h/v1/", "m")
    write_finding(path, FOUND)

    assert read_finding(path) == FOUND
    assert path == get_finding_path(tmp_path, "http://h/v1", "m")
    assert path != get_finding_path(tmp_path, "http://h/v1", "n")


def test_without_a_probe_there_is_no_finding(tmp_path):
    assert read_finding(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    "change", [{"syntax": "riddles"}, {"dialect": "klingon"}, {"reading": 5}, {"more": 1}]
)
def test_a_damaged_finding_is_told(tmp_path, change):
    path = tmp_path / "a.json"
    write_finding(path, FOUND)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(SettingsError, match="run `ris models probe` again"):
        read_finding(path)


def test_a_file_that_is_no_json_is_told(tmp_path):
    (tmp_path / "a.json").write_text("[")

    with pytest.raises(SettingsError, match="cannot be read"):
        read_finding(tmp_path / "a.json")


def test_the_dialect_of_a_finding_reads_as_was_found():
    dialect = replace(FOUND, keys=("place",)).make_dialect()

    assert (dialect.keys, dialect.reading, len(dialect.syntaxes)) == (("place",), FOUND.reading, 1)


def test_two_probes_that_find_the_same_agree_in_the_key():
    again = replace(FOUND, accuracy=1.0, error=0.02, reading=replace(FOUND.reading, gain=(1.001, 1.0)))

    assert again.key == FOUND.key
    assert replace(FOUND, reading=Reading()).key != FOUND.key


def test_a_finding_is_said_in_words():
    assert FOUND.summary == (
        "asked as gemini, writes json in 0 to 1000 of width and height, y before x; right in 95 % of the "
        "questions, median error 1.0 % of a side; says that a thing is not there"
    )
