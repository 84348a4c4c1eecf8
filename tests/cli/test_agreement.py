import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from ris.cli import root_app
from tests.builders.records import TASK, add, correction, mask


@pytest.fixture
def run(database, tmp_path):
    def run(*arguments):
        return CliRunner().invoke(
            root_app, ["agreement", "--database-url", f"sqlite:///{tmp_path / 'ris.db'}", *arguments]
        )

    return run


def fill(database, n_tasks=6):
    numbers = iter(range(1, 100))
    for number in range(1, n_tasks + 1):
        task = replace(TASK, task_id=number, image_url=f"/{number}.png")
        for person in (1, 2, 3):
            made = correction(next(numbers), task=task, annotator=person)
            differs = person == 3 and number % 2
            shown = mask(9) if differs else mask(0)
            add(database, replace(made, annotation=replace(made.annotation, mask=shown)))


def test_figures_are_printed_as_json(database, run, tmp_path):
    fill(database)

    ran = run("--json", "--consensus", str(tmp_path / "new" / "consensus.jsonl"))

    assert ran.exit_code == 0, ran.output
    printed = json.loads(ran.stdout)
    assert sorted(printed) == ["annotators", "annotators_by_kind", "kinds", "overall", "tasks"]
    verdict = next(row for row in printed["overall"] if row["figure"] == "same verdict")
    assert verdict == {"figure": "same verdict", "value": 1.0, "low": None, "high": None, "count": 18}
    skills = {row["annotator"]: row for row in printed["annotators"] if row["figure"] == "skill"}
    assert skills["1"]["low"] < skills["1"]["value"] <= skills["1"]["high"]
    assert skills["3"]["value"] < skills["1"]["value"]
    assert [row["task"] for row in printed["tasks"]] == [1, 3, 5]
    lines = (tmp_path / "new" / "consensus.jsonl").read_text().splitlines()
    assert [json.loads(line)["in_consensus"] for line in lines] == [[1, 2], [1, 2, 3]] * 3


def test_a_record_without_common_tasks_says_so(database, run):
    add(database, correction())

    ran = run()

    assert ran.exit_code == 0
    assert "no task has answers of several people" in ran.stdout


def test_two_people_have_no_skills_and_it_is_said(database, run):
    for person in (1, 2):
        add(database, correction(person, annotator=person))

    shown = run().stdout

    assert "no skills: they need three people" in shown
    assert "│ skill" not in shown


def test_the_number_of_listed_tasks_is_an_option(database, run):
    fill(database)

    assert len(json.loads(run("--json", "--worst", "1").stdout)["tasks"]) == 1
    assert "tasks" not in json.loads(run("--json", "--worst", "0").stdout)
