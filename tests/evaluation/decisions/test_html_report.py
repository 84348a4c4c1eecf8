"""The report is complete, loads nothing, and shows text as text."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from ris.core.types import Verdict
from ris.errors import ImageUnreachable
from ris.evaluation.decisions.cells import Link, ReportNames, ReportTable
from ris.evaluation.decisions.html_report import render_report
from tests.builders.evaluated import EVERYTHING, LEFT, MONDAY, draw_galleries, make_decision, to_table


def made(found=EVERYTHING, pixels=None, **more):
    galleries = draw_galleries(found, pixels) if pixels else []
    return render_report(
        to_table(found), galleries=galleries, title="What was decided", subtitle="5 decisions", **more
    )


class Reader(HTMLParser):
    """Collects tags, loaded addresses and text; an unclosed tag is an error."""

    VOID = frozenset({"meta", "img", "br", "path", "use", "rect", "line"})

    def __init__(self, text):
        super().__init__()
        self.open, self.loaded, self.text, self.tags, self.names = [], [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        named = dict(attrs)
        self.names |= named.keys()
        self.loaded += [named[n] for n in ("src", "href", "xlink:href") if n in named]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    reader = Reader(text)
    assert reader.open == []
    return reader, " ".join(" ".join(reader.text).split())


def test_the_page_holds_its_figures_tables_and_charts():
    reader, text = read(made())

    for words in (
        "What was decided", "mean IoU, top 1", "Methods on the same decisions", "By kind of expression",
        "By annotator", "Which alternative was taken",
    ):  # fmt: skip
        assert words in text
    assert sum(address.startswith("data:image/svg+xml") for address in reader.loaded) >= 3
    assert "0.167" in text  # mean IoU, top 1: (0 + 0.5 + 0) / 3


def test_the_page_loads_nothing_from_outside():
    pixels = np.zeros((10, 10, 3), np.uint8)
    reader, _ = read(made(pixels=lambda j: pixels))

    assert reader.loaded
    assert all(ref.startswith(("data:", "https://studio.example/")) for ref in reader.loaded)
    assert "script" not in reader.tags
    assert not re.search(r"url\((?!#|&quot;#)", made())


def test_words_of_annotators_stay_words():
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    found = [make_decision(Verdict.REDRAWN, LEFT, offers=(), expression=evil)]

    reader, text = read(made(found, pixels=lambda j: np.zeros((10, 10, 3), np.uint8)))

    assert "script" not in reader.tags
    assert "onerror" not in reader.names
    assert evil in text


def test_a_picture_that_cannot_be_had_is_a_sentence():
    def gone(j):
        raise ImageUnreachable("cannot fetch the image of task 3: Label Studio answered 404")

    _, text = read(made(pixels=gone))

    assert "cannot fetch the image of task 3: Label Studio answered 404" in text


def test_without_decisions_the_page_says_so():
    reader, text = read(made([]))

    assert "none yet" in text
    assert "no decision with a mask" in text
    assert reader.loaded == []


def test_tables_that_matter_first_stand_open_and_the_others_are_folded():
    disputes = ReportTable(
        "Disputes", ("task", "answers"), [(Link("task 3", "https://studio.example/3"), "2")]
    )

    reader, text = read(made(first_tables=[disputes]))

    assert "https://studio.example/3" in reader.loaded
    assert text.index("Disputes") < text.index("All tables") < text.index("By annotator")
    assert reader.tags.count("details") >= 6


def test_projects_and_annotators_have_the_names_that_label_studio_gave():
    _, text = read(made(names=ReportNames({"1.5": "Kitchen"}, {"7": "Ada"})))

    assert "Kitchen (1)" in text
    assert "Ada" in text
    assert "project 1" in read(made())[1]


def test_an_interval_without_width_is_not_shown():
    one_image = [make_decision(Verdict.ACCEPTED, LEFT, rank=0, number=i) for i in range(4)]

    _, text = read(made(one_image))

    assert "[1.000, 1.000]" not in text


def test_the_same_decisions_give_the_same_page():
    assert made() == made()


@pytest.mark.parametrize("weeks", [1, 3])
def test_the_trend_is_drawn_when_there_is_more_than_one_week(weeks):
    from datetime import timedelta

    found = [
        make_decision(Verdict.ACCEPTED, LEFT, rank=0, number=i, at=MONDAY + timedelta(days=7 * i))
        for i in range(weeks)
    ]

    assert ("By week" in read(made(found))[1]) == (weeks > 1)
