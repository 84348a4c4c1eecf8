"""The table of the report about gold tasks, with a warning where somebody is below the team."""

from ris.evaluation.decisions.cells import ReportNames, ReportTable
from ris.quality.gold import GOLD_FIGURES, GoldReport


def make_gold_table(report: GoldReport, names: ReportNames) -> ReportTable:
    """Make the table of how people answered gold tasks; the warnings are its note."""
    rows = [
        [
            names.name_group("annotator", str(person)),
            *(str(figures[name]) for name in GOLD_FIGURES),
            str(figures["right referent"].count),
        ]
        for person, figures in report.people.items()
    ]
    warnings = [
        f"Warning: {figure} of annotator {names.name_group('annotator', str(person))} lies below that of all "
        "others together."
        for person, figure in report.find_below()
    ]
    note = (
        "Tasks whose right answer is known, and which nobody can tell from the others. Right referent: an "
        "IoU of at least 0.5 with the known mask, or both say that the object is not in the image."
    )
    return ReportTable(
        "Answers to gold tasks",
        ("annotator", *GOLD_FIGURES, "answers"),
        rows,
        " ".join([*warnings, note]),
    )
