from ris.quality.findings import FindingKind, Severity, TaskFinding
from tests.builders.checked import checked_task


def test_the_severity_follows_from_the_kind():
    assert FindingKind.CONTRADICTION.severity is Severity.ERROR
    assert FindingKind.TYPO.severity is Severity.WARNING
    assert FindingKind.SAME_MASK.severity is Severity.NOTE


def test_the_place_is_the_task_or_the_part_of_the_file():
    assert TaskFinding(FindingKind.TYPO, "", (checked_task(7),)).place == "task 7"
    assert TaskFinding(FindingKind.DEFECT, "", what="row 9").place == "row 9"
