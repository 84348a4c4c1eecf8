from pathlib import Path

import pytest

from ris.datasets.entry import Defect
from ris.datasets.objects import is_json, read_objects
from ris.errors import DatasetError


def objects(text):
    return [one.what if isinstance(one, Defect) else one for one in read_objects(text, Path("a.json"))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[{"a": 1}, 2]', [("a.json, object 1", {"a": 1}), "a.json, object 2"]),
        ('{"tasks": [{"a": 1}]}', [("a.json, object 1", {"a": 1})]),
        ('{"a": NaN}', [("a.json, object 1", {"a": None})]),
        (
            '{"a": 1}\n\n{"a": 2}\r\n{',
            [("a.json, row 1", {"a": 1}), ("a.json, row 3", {"a": 2}), "a.json, row 4"],
        ),
        ('{"a": 1}\n{"a": ', [("a.json, row 1", {"a": 1}), "a.json, row 2"]),
        ('{"a": \n{"a": 2}', ["a.json, row 1", ("a.json, row 2", {"a": 2})]),
        (
            '{"a": 1}\n{\n}\n{',
            [("a.json, row 1", {"a": 1}), "a.json, row 2", "a.json, row 3", "a.json, row 4"],
        ),
        ("[]", []),
    ],
)
def test_a_list_its_object_and_lines_are_objects(text, found):
    assert is_json(text)
    assert objects(text) == found


@pytest.mark.parametrize(
    "text", ["[", "{", '[{"a": 1},\n{"a": 2}\n', '{"a":\n{"b": 1,\n"c": 2},', "[" * 100_000]
)
def test_what_is_cut_short_is_refused(text):
    with pytest.raises(DatasetError, match="a.json is not JSON"):
        objects(text)
