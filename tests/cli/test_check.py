import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from ris.cli import root_app
from ris.tinyworld.samples import make_samples
from tests.builders.records import TASK, add, correction, keep, mask


@pytest.fixture
def run(database, tmp_path):
    def run(*arguments):
        return CliRunner().invoke(
            root_app, ["check", *map(str, arguments), "--database-url", f"sqlite:///{tmp_path / 'ris.db'}"]
        )

    return run


def read_findings(ran):
    assert ran.exit_code == 0, ran.output
    return [(row["kind"], row["task"]) for row in json.loads(ran.stdout).get("findings", [])]


def test_the_record_is_checked(database, run, tmp_path):
    for number in (1, 2):
        task = replace(TASK, task_id=number, expression="the mug")
        keep(database, task)
        made = correction(number, task=task)
        shown = mask(0) if number == 1 else mask(9)
        add(database, replace(made, annotation=replace(made.annotation, mask=shown)))

    found = read_findings(run("--json", "--kind", "same words, different masks"))
    page = run("--out", tmp_path / "new" / "check.html")

    assert found == [("same words, different masks", "task 2")]
    assert page.exit_code == 0, page.output
    assert "same words, different masks: 1" in (tmp_path / "new" / "check.html").read_text()


def test_a_table_is_checked_before_anybody_labels_it(run, tmp_path):
    for number, sample in enumerate(make_samples(2)):
        Pillow.fromarray(np.asarray(sample.pixels)).save(tmp_path / f"{number}.png")
    (tmp_path / "copy.png").write_bytes((tmp_path / "0.png").read_bytes())
    rows = [
        "image,expression",
        "0.png,the yellow bottle",
        "1.png,the yelow bottle",
        "copy.png,the mug\u200b",
        "1.png,",
    ]
    (tmp_path / "tasks.csv").write_text("\n".join(rows), encoding="utf-8")

    found = read_findings(run(tmp_path / "tasks.csv", "--look", "--json"))

    assert [kind for kind, _ in found if kind != "no noun"] == [
        "unusable entry", "odd characters", "typo", "duplicate image",
    ]  # fmt: skip
    assert dict(found)["typo"] == "entry 2"
    assert dict(found)["duplicate image"] == "entry 3"


def test_the_most_severe_come_first_and_the_rest_is_counted(run, tmp_path):
    rows = ["image,expression", *(f"{n}.png,???" for n in range(5))]
    (tmp_path / "tasks.csv").write_text("\n".join(rows), encoding="utf-8")

    ran = run(tmp_path / "tasks.csv", "--most", "2")

    assert "5 findings about 5 tasks" in ran.stdout
    assert "3 more findings" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kind", "wrong"), "can be same words, different masks"),
        (("--rank",), "name a dataset"),
        (("no-such-file.csv",), "no-such-file.csv does not exist"),
    ],
)
def test_what_cannot_be_checked_is_said(run, arguments, words):
    ran = run(*arguments)

    assert ran.exit_code != 0
    assert words in f"{ran.output} {ran.exception}"
