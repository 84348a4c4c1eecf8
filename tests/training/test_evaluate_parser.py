"""The figures of a parser."""

from pathlib import Path

from ris.core.expression import ParsedExpression
from ris.pretrained.language.parser import SpacyParser, join_tokens
from training.evaluate_parser import (
    evaluate_attachment,
    evaluate_subjects,
    format_report,
    make_drawn_table,
    read_phrase_table,
)
from training.treebank import Sentence, to_doc

PIPELINE = Path(__file__).parents[2] / "backend" / "ris" / "pretrained" / "tiny" / "parser"


class FirstWord:
    """Takes the first word for the subject."""

    def parse(self, expression: str) -> ParsedExpression:
        return ParsedExpression(expression, expression.split()[0])


def test_the_table_is_read_without_its_heading(tmp_path):
    (tmp_path / "table.tsv").write_text("kind\texpression\tsubject\nplain\tthe mug\tthe mug\n")

    assert read_phrase_table(tmp_path / "table.tsv") == [("plain", "the mug", "the mug")]


def test_no_expression_stands_twice_in_the_shipped_table():
    table = read_phrase_table(Path(__file__).parents[1] / "data" / "referring_phrases.tsv")

    assert len({expression for _, expression, _ in table}) == len(table) >= 60


def test_only_the_exact_subject_is_right():
    report = evaluate_subjects(
        FirstWord(), [("plain", "mug", "mug"), ("plain", "the mug", "the mug"), ("typo", "mgu", "mgu")]
    )

    assert report["share"] == 2 / 3
    assert report["by_kind"] == {"plain": "1/2", "typo": "1/1"}
    assert report["misses"] == [{"expression": "the mug", "expected": "the mug", "found": "the"}]
    assert (
        format_report({"subjects": report, "drawn": report}).splitlines()[0]
        == "subject exactly right: 0.667 of 3 in the table"
    )


def test_drawn_expressions_come_with_their_subject_in_tokens():
    parser = SpacyParser.load(PIPELINE)

    rows = make_drawn_table(parser, 2)

    assert len({text for _, text, _ in rows}) == len(rows) > 10
    assert all(
        set(subject.split()) <= set(join_tokens(parser.nlp.make_doc(text)).split())
        for _, text, subject in rows
    )


def test_a_wrong_label_costs_labelled_attachment_only():
    nlp = SpacyParser.load(PIPELINE).nlp
    right = Sentence(("the", "left", "mug"), ("DET", "ADJ", "NOUN"), (2, 2, 2), ("det", "amod", "ROOT"))
    wrong_label = Sentence(right.words, right.tags, right.heads, ("det", "compound", "ROOT"))

    scores = evaluate_attachment(nlp, [to_doc(right, nlp.vocab), to_doc(wrong_label, nlp.vocab)])

    assert scores["words"] == 6
    assert scores["uas"] == 1
    assert scores["las"] == 5 / 6
