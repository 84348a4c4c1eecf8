"""A file that is read as it comes has the rows that it has when it is read whole."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.datasets import streams
from ris.datasets.entry import Defect
from ris.datasets.rows import DEFAULT_NAMES
from ris.datasets.streams import stream_rows
from ris.datasets.tables import read_rows
from ris.datasets.text import read_text
from ris.errors import DatasetError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4) | VALUES, max_size=8)


def stream(path, encoding=None):
    has_objects, rows = stream_rows(path, DEFAULT_NAMES, encoding)
    return has_objects, list(rows)


def read_whole(path):
    return list(read_rows(read_text(path), path, DEFAULT_NAMES))


@pytest.fixture(params=[3, 2**20])
def path(request, tmp_path, monkeypatch):
    """A file that is read in small or in large parts."""
    monkeypatch.setattr(streams, "_CHARACTERS_PER_READ", request.param)
    return tmp_path / "t"


@settings(max_examples=60)
@given(OBJECTS, st.sampled_from([None, 1]), st.sampled_from([1, 7, 2**20]))
def test_a_list_is_read_as_it_is_read_whole(tmp_path_factory, values, indent, n_characters):
    path = tmp_path_factory.mktemp("s") / "t"
    path.write_text(json.dumps(values, indent=indent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "_CHARACTERS_PER_READ", n_characters)

        assert stream(path) == (True, read_whole(path))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}\n{"b": NaN}\n\n7\nnot\n{"c": "\\ud83d"}\n',
        '{"a": 1}',
        '{"tasks": [{"a": 1}, 2]}',
        '{\n "tasks": [{"a": 1}]\n}',
        ' \n[ {"a": [1, {"b": "]"}]} ,\n 12.5, {"c": Infinity}]\n ',
        "[]",
        "[1]",
        'image,expression\na.png,the owl\n\nb.png,"the\n mug"\nc.png\n',
        "sep=;\nimage;expression\na.png;the owl\n",
        "a.png\tthe owl\nb.png\n",
        '{"id": 1, "annotation_id": 2, "image": "a", "expression": "x"}\n'
        '{"id": 1, "annotation_id": 3, "image": "a", "expression": "x"}\n'
        '{"id": 1, "annotation_id": 4, "image": "b", "expression": "x"}\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_kind_of_file_is_read_as_it_is_read_whole(path, text, encoding):
    path.write_bytes(text.encode(encoding))

    assert stream(path)[1] == read_whole(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, ", "t is not JSON: object 2: Expecting value"),
        ('[{"a": 1}', r"t is not JSON: a comma or \] is missing after object 1"),
        ('[{"a": 1} {"b": 2}]', r"t is not JSON: a comma or \] is missing after object 1"),
        ('[{"a": 1},]', "t is not JSON: object 2: Expecting value"),
        ('[{"a": 1}] x', "t is not JSON: there is more text after its list"),
        ('[{"a": tru}]', "t is not JSON: object 1: Expecting value"),
        ("[" * 100_000, "t is not JSON: it is nested too deeply"),
        ('{"images": [], "annotations": []}', "is a COCO file"),
        ("no", "t needs a line of headings"),
        ("", "t needs a line of headings"),
    ],
)
def test_what_is_no_such_file_is_a_sentence(path, text, message):
    path.write_text(text)

    with pytest.raises(DatasetError, match=message):
        stream(path)


def test_only_a_part_of_a_long_list_is_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "_CHARACTERS_PER_READ", 100)
    path = tmp_path / "t.json"
    path.write_text("[\n" + ",\n".join(json.dumps({"n": number}) for number in range(1000)) + "\n]")
    taken = []

    def count(path, encoding):
        for line in io.StringIO(path.read_text()):
            taken.append(line)
            yield line

    monkeypatch.setattr(streams, "iterate_lines", count)
    rows = stream_rows(path, DEFAULT_NAMES)[1]

    assert next(rows) == ("t.json, object 1", {"n": 0})
    assert len(taken) < 20


def test_a_row_of_parquet_is_an_object_without_its_empty_cells(tmp_path):
    path = tmp_path / "t.parquet"
    table = {"image": ["a", "b"], "expression": ["x", None], "when": pa.array([0, 1], pa.timestamp("s"))}
    pq.write_table(pa.table(table), path)

    assert stream(path) == (
        True,
        [
            ("t.parquet, row 1", {"image": "a", "expression": "x", "when": "1970-01-01 00:00:00"}),
            ("t.parquet, row 2", {"image": "b", "when": "1970-01-01 00:00:01"}),
        ],
    )
    (tmp_path / "bad").write_bytes(b"PAR1 and no more")
    with pytest.raises(DatasetError, match="bad is not Parquet that can be read"):
        stream(tmp_path / "bad")


def test_an_encoding_that_does_not_fit_is_told_with_its_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("image,expression\na,x\nb,é\n".encode("cp1252"))

    with pytest.raises(DatasetError, match="byte 0xe9 in line 3 does not fit"):
        stream(path)
    assert stream(path, "cp1252")[1][1] == ("t.csv, row 3", {"image": "b", "expression": "é"})
    assert not any(isinstance(row, Defect) for row in stream(path, "cp1252")[1])
