"""Which of several texts is the expression: the rule of `text_tags`, or a refusal that names them."""

from xml.etree.ElementTree import fromstring

import pytest

from ris.errors import LabelConfigError
from ris.labelstudio.config.expression_field import ExpressionField
from ris.labelstudio.config.text_tags import find_expression_field


def found(*tags):
    return find_expression_field(fromstring(f"<View>{''.join(tags)}</View>"), ("image",))


def path(*tags):
    words = found(*tags)
    return words and words.path


@pytest.mark.parametrize(
    ("tags", "meant"),
    [
        (['<Text name="t" value="$anything"/>'], "anything"),
        (['<Text name="image_no" value="$image_id"/>', '<Text name="phrase" value="$phrase"/>'], "phrase"),
        (['<Text name="a" value="$image_id"/>', '<Text name="b" value="$text"/>'], "text"),
        (['<Text name="a" value="$note"/>', '<Header value="$expression"/>'], "expression"),
        (['<Text name="a" value="$phrase"/>', '<Header value="$expression"/>'], "expression"),
        (['<Text name="a" value="$phrase"/>', '<Text name="expression" value="$name"/>'], "name"),
        (['<Header value="$instruction"/>', '<Text name="prompt" value="$x"/>'], "x"),
        (['<Header value="$instruction"/>', '<Text name="t" value="$meta.caption"/>'], "meta.caption"),
        (['<Header value="Image $no of $split: find $query!"/>'], "query"),
        (['<Header value="$a and $expression"/>'], "expression"),
        (['<Header value="$caption"/>', '<Text name="t" value="Again: $caption"/>'], "caption"),
        (['<Header value="Look well"/>', '<Text name="t" value="$what"/>'], "what"),
        (['<Text name="t" value="$image"/>', '<Text name="u" value="$what"/>'], "what"),
        (['<Text name="a" value="$sentence_id"/>', '<Text name="b" value="$sentence"/>'], "sentence"),
        (['<Text name="a" value="$fileName"/>', '<Text name="b" value="$objectName"/>'], "objectName"),
        (['<Text name="expression" value="$number"/>'], "number"),
    ],
)
def test_the_expression_is_the_one_that_the_rule_names(tags, meant):
    assert path(*tags) == meant
    assert path(*reversed(tags)) == meant


@pytest.mark.parametrize(
    "tags",
    [
        [],
        ['<Header value="Find it"/>'],
        ['<Text name="t" value="$image_id"/>'],
        ['<Text name="t" value="$meta.id"/>', '<Text name="u" value="$file_name"/>'],
        ['<Text name="t" value="$expression_id"/>'],
        ['<Text name="t" value="$image"/>'],
        ['<TextArea name="t" value="$expression" perRegion="true"/>'],
    ],
)
def test_an_id_a_file_or_a_fixed_text_is_no_expression(tags):
    assert found(*tags) is None


@pytest.mark.parametrize(
    ("tags", "both"),
    [
        (['<Text name="t" value="$title"/>', '<Text name="u" value="$text"/>'],
         r'\$title \(<Text name="t">\) and \$text \(<Text name="u">\).*name="expression" value="\$title"/>'),
        (['<Header value="$phrase"/>', '<Text name="u" value="$caption"/>'],
         r'\$phrase \(<Header>\) and \$caption \(<Text name="u">\)'),
        (['<Header value="$adjective $noun"/>'], r"\$adjective .* and \$noun"),
        (['<Text name="t" value="$captions[0]"/>', '<Text name="u" value="$captions[1]"/>'],
         r"\$captions\[0\] .* and \$captions\[1\]"),
    ],
)  # fmt: skip
def test_two_texts_that_could_be_it_are_refused_by_their_names(tags, both):
    with pytest.raises(LabelConfigError, match=f"shows 2 texts that could be the expression, {both}"):
        found(*tags)


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ('<Text name="t" value="$d[{{idx}}].phrase"/>', r'can have "d\[\{\{idx\}\}\].phrase": name a key'),
        ('<Text name="t" value="${expression}"/>', r'no data can have "\{expression\}": name a key'),
        ('<Text name="t" value="$phrase" valueType="url"/>', r"\$phrase .* is behind an address"),
        ('<Header value="$phrase" resolver="csv|column=a"/>', r"\$phrase .* is behind an address"),
    ],
)  # fmt: skip
def test_a_text_that_no_task_can_say_is_refused_with_what_to_change(tag, message):
    with pytest.raises(LabelConfigError, match=message):
        found(tag)


def test_a_text_is_read_as_its_tag_shows_it():
    assert found('<HyperText name="t" value="$html"/>') == ExpressionField("html", "html")
    assert found('<Header value="$html"/>', '<HyperText name="t" value="$html"/>') == ExpressionField(
        "html", "html"
    )
    assert found('<Text name="t" value="$t" encoding="base64"/>') == ExpressionField("t", encoding="base64")
    assert found('<Text name="t" value="$t" encoding="none" valueType="text"/>') == ExpressionField("t")
    assert found('<Paragraphs name="t" value="$d" nameKey="who" textKey="says"/>') == ExpressionField(
        "d", "paragraphs", "who", "says"
    )
