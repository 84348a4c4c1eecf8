import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.datasets.delimited import SEPARATORS, ColumnNames, read_separated
from ris.datasets.entry import Defect
from ris.errors import DatasetError


def rows(text):
    return [
        one if isinstance(one, Defect) else one[1]
        for one in read_separated(io.StringIO(text, newline=""), "a.csv", ColumnNames())
    ]


def defects(text):
    return [(one.what, one.reason) for one in rows(text) if isinstance(one, Defect)]


cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\ufeff"), min_size=1
).filter(lambda cell: cell == cell.strip() and cell.lower() not in ("image", "expression"))


@settings(deadline=None)
@given(
    st.lists(st.tuples(cells, cells), max_size=5),
    st.sampled_from(SEPARATORS),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
def test_any_table_with_any_separator_is_read_as_it_was_written(table, separator, end, quoting, is_named):
    file = io.StringIO(newline="")
    file.write(f"sep={separator}{end}" if is_named else "")
    writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([("Image", " Expression "), *table])

    assert rows(file.getvalue()) == [{"image": image, "expression": words} for image, words in table]


@pytest.mark.parametrize(
    "headings", ["IMAGE,Caption", "\ufefffile name, TEXT ", '"Img";"Sentence"', "image-path|Phrase"]
)
def test_headings_are_known_in_any_writing(headings):
    separator = next(s for s in SEPARATORS if s in headings)

    (row,) = rows(f"\n{headings}\nx.png{separator}the mug\n")

    assert list(row.values()) == ["x.png", "the mug"]


def test_a_bad_row_costs_itself_alone():
    text = (
        "image,expression,split\n"
        'a.png,"big" dog\n'
        "b.png,the cat, not the dog, no\n"
        'c.png,"never closed\n'
        "d.png,good,val,,\n"
        "\n"
        ",,\n"
        "image,expression,split\n"
        'e.png,"two\nlines, ""quoted"""\n'
    )

    assert defects(text) == [
        ("a.csv, row 2", 'its quotes do not match: write " twice inside a quoted cell'),
        ("a.csv, row 3", "it has more cells than headings: put text that contains ',' in quotes"),
        ("a.csv, row 4", 'its quotes do not match: write " twice inside a quoted cell'),
        ("a.csv, row 8", "it repeats the headings"),
    ]
    assert [row for row in rows(text) if not isinstance(row, Defect)] == [
        {"image": "d.png", "expression": "good", "split": "val"},
        {"image": "e.png", "expression": 'two\nlines, "quoted"'},
    ]


def test_a_quote_that_is_never_closed_is_told_at_the_end_too():
    assert defects('image,expression\na.png,"the mug\nb.png,the cup\n') == [
        ("a.csv, row 2", "a quote in it is never closed")
    ]


def test_a_picture_written_into_the_table_is_no_cell_too_long():
    picture = "data:image/png;base64," + "A" * 300_000

    assert rows(f'image;expression\n"{picture}";the mug\n') == [{"image": picture, "expression": "the mug"}]


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(DatasetError, match="a.csv has two columns 'expression': rename one"):
        rows("image,expression,Expression\nx,a,b\n")


def test_two_columns_of_words_are_refused_by_name():
    with pytest.raises(
        DatasetError, match="a.csv: it has expressions under 'caption' and 'phrase': rename the right"
    ):
        rows("image,phrase,caption\nx,a,b\n")


@pytest.mark.parametrize(
    ("headings", "key", "doubt"),
    [
        (["caption", "phrase", "expression"], "expression", False),
        (["caption", "phrase"], "Phrase", False),
        (["caption", "expression"], "phrase", False),
        (["caption", "phrase"], "question", True),
        (["caption", "split"], "question", False),
    ],
)
def test_expression_and_the_key_of_a_label_config_are_preferred(headings, key, doubt):
    assert bool(ColumnNames.from_preferred("image", key).find_ambiguity(headings)) is doubt
