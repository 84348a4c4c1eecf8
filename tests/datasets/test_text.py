import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.datasets.text import read_text
from ris.errors import DatasetError

MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
words = st.text(st.characters(exclude_characters="\x00\x1a\x1b\ufeff", exclude_categories=["Cs"]))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("text") / "a.csv"


@settings(deadline=None)
@given(words, st.sampled_from(sorted(MARKED)))
def test_any_text_with_a_mark_is_read_as_it_was_written(file, text, encoding):
    file.write_bytes(MARKED[encoding] + text.encode(encoding))

    assert read_text(file) == text


@settings(deadline=None)
@given(words, st.sampled_from(sorted(MARKED)))
def test_any_table_without_a_mark_is_read_as_it_was_written(file, text, encoding):
    file.write_bytes(f"image,expression\n{text}".encode(encoding))

    assert read_text(file) == f"image,expression\n{text}"


@settings(deadline=None)
@given(words, st.sampled_from(["cp1252", "latin-1", "cp1251", "cp949", "gb18030", "shift_jis", "big5"]))
def test_a_text_in_another_encoding_is_refused_or_right_and_read_when_it_is_named(file, text, encoding):
    try:
        data = f"image,expression\n{text}".encode(encoding)
    except UnicodeEncodeError:
        return
    file.write_bytes(data)

    assert read_text(file, encoding) == data.decode(encoding)
    try:
        found = read_text(file)
    except DatasetError as error:
        assert "save it as UTF-8" in str(error)
    else:
        assert found.encode("utf-8") == data  # the bytes are valid UTF-8, too


@pytest.mark.parametrize(("encoding", "guess"), [("cp949", r" \(it may be cp949\)"), ("latin-1", "")])
def test_the_sentence_says_where_and_what_to_do(file, encoding, guess):
    words = {"cp949": "왼쪽 초록 부엉이", "latin-1": "la chouette à côté"}[encoding]
    file.write_bytes(f"image,expression\nx.png,{words}\n".encode(encoding))

    with pytest.raises(
        DatasetError, match=f"a.csv is not UTF-8: byte 0x.. in line 2 does not fit{guess}; save it as UTF-8"
    ):
        read_text(file)


@pytest.mark.parametrize(
    ("data", "pattern"),
    [
        (b"PK\x03\x04...", "is an Excel workbook or another ZIP archive: save it as CSV UTF-8"),
        (b"\x1f\x8b...", "is compressed by gzip"),
        (b"PAR1", "is Parquet"),
        (b"image,expression\nx\x00y,z\n", "contains zero bytes"),
        (
            "image,expression\nx,左のカップ".encode("iso2022_jp"),
            "is in an ISO 2022 encoding.*save it as UTF-8",
        ),
        (codecs.BOM_UTF16_LE + b"a", "is not UTF-16-LE"),
    ],
)
def test_what_is_no_text_says_what_it_is(file, data, pattern):
    file.write_bytes(data)

    with pytest.raises(DatasetError, match=pattern):
        read_text(file)


def test_an_encoding_that_does_not_exist_is_a_sentence(file):
    file.write_bytes(b"x")

    with pytest.raises(DatasetError, match="there is no encoding 'ansi-7'; try utf-8, cp1252"):
        read_text(file, "ansi-7")
