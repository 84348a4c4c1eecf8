"""Changed rows of a Hugging Face export are found."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ris.errors import ImageUnreachable
from ris.export.formats import EXPORT_FORMATS
from ris.export.run import write_export
from ris.export.selection import ExportOptions
from ris.export.validate_huggingface import validate_huggingface
from tests.builders.decisions import DECISIONS, material


@pytest.fixture
def written(tmp_path):
    content = material(ExportOptions(formats=["huggingface"]), DECISIONS[:3])
    EXPORT_FORMATS["huggingface"].write(content, tmp_path)
    return content, tmp_path / "data" / "train-00000-of-00001.parquet"


def problems(written, change):
    content, path = written
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, table.schema), path)
    return list(validate_huggingface(content, path.parents[1]))


def test_rows_as_they_were_written_agree(written):
    assert problems(written, lambda rows: None) == []


def test_another_expression_is_found(written):
    (problem,) = problems(written, lambda rows: rows[0].update(expression="the cat"))

    assert problem.startswith("task 1 of train-00000-of-00001.parquet: 'the cat' in train, ")


def test_a_mask_of_another_row_is_found(written):
    found = problems(written, lambda rows: rows[1].update(mask=rows[2]["mask"]))

    assert len(found) == 1
    assert "its mask has IoU 0." in found[0]


def test_a_row_of_an_unknown_annotation_is_found(written):
    unknown, missing = problems(written, lambda rows: rows[0].update(annotation_id=99))

    assert unknown.endswith("no sample on record has annotation 99")
    assert missing.startswith("1 of 3 samples on record are in no row")


def test_a_missing_row_is_found(written):
    (problem,) = problems(written, lambda rows: rows.pop())

    assert problem.startswith("1 of 3 samples on record are in no row")


def test_a_row_that_the_report_lists_as_left_out_is_not_missed(tmp_path):
    def fetch(task):
        raise ImageUnreachable("cannot fetch the image of task 1: Label Studio answered 404")

    options = ExportOptions(formats=["huggingface"])
    content = material(options, DECISIONS[:3], fetch=fetch)
    write_export(content, options, tmp_path)

    assert list(tmp_path.glob("huggingface/data/*")) == []  # `datasets` cannot read a file without rows
    assert list(validate_huggingface(content, tmp_path / "huggingface")) == []
