import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from ris.export.text import to_json, to_yaml_string, write_json, write_lines

ANY = st.text(st.characters(), max_size=20)  # lone surrogates, too


@given(ANY)
def test_any_words_come_back_and_stand_on_one_line(words):
    text = to_json({"expression": words})

    assert json.loads(text) == {"expression": words}
    assert len(text.splitlines()) == 1
    assert json.loads(text.encode("utf-8")) == {"expression": words}


@given(ANY)
def test_any_words_come_back_from_yaml(words):
    assert yaml.safe_load(f"names:\n  0: {to_yaml_string(words)}\n") == {"names": {0: words}}


def test_words_stay_readable():
    assert to_json("左のカップ 🦉") == '"左のカップ 🦉"'


def test_files_end_in_a_line_break_and_have_their_folders_made(tmp_path):
    write_json([1], tmp_path / "a" / "one.json")
    write_lines(["a\u2028b", "c"], tmp_path / "a" / "two.jsonl")

    assert (tmp_path / "a" / "one.json").read_bytes() == b"[1]\n"
    assert (tmp_path / "a" / "two.jsonl").read_bytes() == b'"a\\u2028b"\n"c"\n'
