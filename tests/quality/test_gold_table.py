from ris.evaluation.decisions.cells import ReportNames
from ris.quality.gold import measure_gold
from ris.quality.gold_table import make_gold_table
from tests.builders.gold import gold_answers


def test_who_is_below_the_team_is_warned_of_by_name():
    report = measure_gold([*gold_answers(1, 28, 2), *gold_answers(2, 27, 3), *gold_answers(3, 10, 20)])

    table = make_gold_table(report, ReportNames(annotators={"3": "Ada"}))

    assert "Warning: right referent of annotator Ada lies below that of all others together." in table.note
    assert [row[0] for row in table.rows] == ["1", "2", "Ada"]
    assert table.rows[0][1].startswith("0.933 [")
    assert [row[-1] for row in table.rows] == ["30", "30", "30"]


def test_without_somebody_below_there_is_no_warning():
    table = make_gold_table(measure_gold(gold_answers(1, 28, 2)), ReportNames())

    assert "Warning" not in table.note
