from ris.evaluation.decisions.cells import Progress, ReportNames


def test_what_has_no_name_is_shown_by_its_number():
    names = ReportNames({"1.5": "Kitchen"}, {"7": "Ada"})

    assert names.name_project("1.5") == "Kitchen (1)"
    assert names.name_project("12.1700000000") == "project 12"
    assert names.name_group("annotator", "7") == "Ada"
    assert names.name_group("annotator", "8") == "8"
    assert names.name_group("project", "1.5") == "Kitchen (1)"
    assert names.name_group("kind", "7") == "7"


def test_progress_is_told_in_numbers_too():
    assert Progress(3, 10).label == "3 of 10"
