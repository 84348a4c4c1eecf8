import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.labelstudio.config.expression_field import ExpressionField, html_to_text

PARAGRAPHS = ExpressionField("dialogue", "paragraphs", name_key="who", text_key="says")


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<p>the <b>green</b> owl &amp; nothing&nbsp;else</p>", "the green owl & nothing else"),
        ("the <b>g</b>reen<br>owl", "the green owl"),
        ("<td>left</td><td>owl</td>", "left owl"),
        ("a < b", "a < b"),
        ("&lt;b&gt; &amp;amp; &#x1F989; &eacute;", "<b> &amp; \U0001f989 é"),
        ("<style>p{}</style><script>say('</p>')</script>the owl", "the owl"),
        ("<div hidden>not <div>this</div></div>but this<p style='display: none'>nor that</p>", "but this"),
        ("<!-- a note --><!doctype html><p>the owl<p>left", "the owl left"),
        ("<img alt='no'/>the\n   owl", "the owl"),
        ("no markup", "no markup"),
    ],
)
def test_html_is_the_words_that_a_page_shows(markup, shown):
    assert html_to_text(markup) == shown
    assert ExpressionField("t", "html").read({"t": markup}) == shown


def test_markdown_is_the_words_that_a_page_shows():
    assert (
        ExpressionField("t", "markdown").read({"t": "# the **green** [owl](http://x) &amp; _more_"})
        == "the green owl & more"
    )
    assert ExpressionField("t", "markdown").read({"t": "the <b>owl</b>\n\n* left"}) == "the owl left"


def test_markup_without_end_is_not_read_and_too_long_to_be_asked():
    assert ExpressionField("t", "html").read({"t": "<p>" * 100_000}) == "<p>" * 100_000


def test_text_is_shown_as_it_is_also_where_it_looks_like_markup():
    assert ExpressionField("t").read({"t": "a <b> &amp; c"}) == "a <b> &amp; c"


def test_paragraphs_are_their_texts_without_who_says_them():
    said = [{"who": "A", "says": "the green owl"}, {"who": "B", "says": "on the left"}, {"who": "C"}]

    assert PARAGRAPHS.read({"dialogue": said}) == "the green owl on the left"
    assert PARAGRAPHS.read({"dialogue": [{"who": "A", "says": 7}]}) == "7"
    assert PARAGRAPHS.read({"dialogue": [{"who": "A"}]}) is None
    assert PARAGRAPHS.read({"dialogue": "the owl"}) == "the owl"


def test_of_a_list_the_first_that_says_something_is_read_and_an_index_means_that_one():
    captions = {"captions": ["", None, 7, "the owl"]}

    assert ExpressionField("captions").read(captions) == "7"
    assert ExpressionField("captions[3]").read(captions) == "the owl"
    assert ExpressionField("captions[9]").read(captions) is None


def test_an_encoded_text_is_decoded():
    sent = base64.b64encode("die Eule, größer".encode()).decode()

    assert ExpressionField("t", encoding="base64unicode").read({"t": sent}) == "die Eule, größer"
    assert (
        ExpressionField("t", encoding="base64").read({"t": base64.b64encode(b"the owl").decode()})
        == "the owl"
    )
    assert ExpressionField("t", encoding="base64").read({"t": "???"}) is None


@pytest.mark.parametrize("value", [None, True, {}, [], [{}], [[]], float("nan")])
def test_what_is_no_text_is_none(value):
    for words in (ExpressionField("t"), ExpressionField("t", "html"), ExpressionField("t", "paragraphs")):
        assert words.read({"t": value}) is None
    assert ExpressionField("t").read({}) is None


WORDS = st.text(min_size=1).filter(lambda text: text == " ".join(text.split()) and "\0" not in text)


@given(
    WORDS.filter(lambda text: text.isprintable()),
    st.sampled_from(["text", "html", "markdown", "paragraphs"]),
    st.sampled_from(["", "base64unicode"]),
)
def test_what_is_written_is_read_again(words, form, encoding):
    tag = ExpressionField("t", form, encoding=encoding)

    assert tag.read({"t": tag.write(words)}) == words
