"""Changes in RefCOCO's and gRefCOCO's files are found, and files as they were written agree."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core.types import Verdict
from ris.export.formats import EXPORT_FORMATS
from ris.export.validate_refs import validate_grefcoco, validate_refcoco
from tests.builders.decisions import decision, make_holed_mask, material, with_digest


@pytest.fixture
def written(tmp_path):
    made = material()
    for name in ("refcoco", "grefcoco"):
        EXPORT_FORMATS[name].write(made, tmp_path / name)
    return made, tmp_path


def change_json(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1))


def test_files_as_they_were_written_agree(written):
    made, folder = written

    assert list(validate_refcoco(made, folder / "refcoco")) == []
    assert list(validate_grefcoco(made, folder / "grefcoco")) == []


WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=4)
EXPRESSIONS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@given(st.lists(EXPRESSIONS, max_size=6))
def test_the_pickle_of_any_expressions_is_that_of_the_json_file(tmp_path_factory, expressions):
    folder = tmp_path_factory.mktemp("refs")
    made = material(
        decisions=[
            with_digest(decision(Verdict.ACCEPTED, make_holed_mask(), number, expression=text))
            for number, text in enumerate(expressions, 1)
        ]
    )

    EXPORT_FORMATS["refcoco"].write(made, folder)

    assert list(validate_refcoco(made, folder)) == []
    assert pickle.loads((folder / "refs(ris).p").read_bytes()) == json.loads(
        (folder / "refs(ris).json").read_text()
    )


def test_a_pickle_with_other_refs_is_found(written):
    made, folder = written
    path = folder / "refcoco" / "refs(ris).p"
    refs = pickle.loads(path.read_bytes())
    refs[3]["split"] = "testA"
    path.write_bytes(pickle.dumps(refs, protocol=2))

    assert list(validate_refcoco(made, folder / "refcoco")) == [
        "refs(ris).p does not hold the refs of refs(ris).json"
    ]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("split", "testA", "its split is 'testA'"),
        ("sentences", [{"raw": "the other mug", "sent": "x"}], "its expression is 'the other mug'"),
    ],
)
def test_a_changed_ref_is_found(written, field, value, told):
    made, folder = written
    change_json(folder / "grefcoco" / "grefs(ris).json", lambda refs: refs[2].update({field: value}))

    (found,) = validate_grefcoco(made, folder / "grefcoco")

    assert found.startswith(f"expression 3: {told}")


def test_a_changed_mask_and_a_lost_ref_are_found(written):
    made, folder = written
    change_json(
        folder / "refcoco" / "instances.json",
        lambda content: content["annotations"][0].update(
            segmentation=content["annotations"][1]["segmentation"]
        ),
    )
    change_json(folder / "grefcoco" / "grefs(ris).json", lambda refs: refs.pop())

    assert len(list(validate_refcoco(made, folder / "refcoco"))) == 1
    assert list(validate_grefcoco(made, folder / "grefcoco")) == [
        "10 expressions in grefs(ris).json, 11 on record"
    ]
