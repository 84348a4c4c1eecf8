"""`ris gold` over a fake Label Studio: what it adds, prints and warns of."""

import json

import pytest
from typer.testing import CliRunner

from ris import assembly, label_config
from ris.cli import root_app
from ris.core.rle import encode_rle
from ris.core.types import Task
from ris.store.gold import GoldTask, add_gold_tasks, find_gold_tasks
from tests.builders.adjudicated_studio import AdjudicatedStudio
from tests.builders.answers import paint
from tests.builders.disputes import record_answer, task_of
from tests.builders.records import NOW

RIGHT, WRONG = (paint(*span, (9, 14)) for span in ((0, 5), (7, 12)))
KEY = "5.1767225600"


@pytest.fixture
def studio(monkeypatch):
    studio = AdjudicatedStudio()
    studio.add_project(title="cups", label_config=label_config.read("pick_brush.xml"))
    for number in range(100, 119):
        data = {"image": f"/data/upload/5/{number}.png", "expression": "the cup"}
        studio.tasks[number] = {"id": number, "project": 5, "annotations": [], "data": data}
    monkeypatch.setattr(assembly, "make_label_studio_client", lambda *_, **__: studio)
    return studio


@pytest.fixture
def ris(tmp_path, monkeypatch, database, studio):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIS_DATABASE_URL", f"sqlite:///{tmp_path / 'ris.db'}")
    return lambda *arguments: CliRunner().invoke(root_app, ["gold", *arguments])


def read_table(ran):
    assert ran.exit_code == 0, ran.output or ran.exception
    return json.loads(ran.stdout)["gold"]


def write_known(tmp_path, count):
    rows = [
        {"image": f"{n}.png", "expression": "the box", "mask": {"size": [2, 4], "counts": [2, 4, 2]}}
        for n in range(count)
    ]
    (tmp_path / "known.json").write_text(json.dumps(rows))


def find_gold(database):
    with database.begin() as session:
        return sorted(find_gold_tasks(session, KEY))


def test_known_masks_of_a_file_are_added_at_a_share_and_once(ris, tmp_path, database, studio):
    write_known(tmp_path, 5)
    add = ("add", "known.json", "--project", "5", "--share", "0.05", "--prefix", "/data/upload/5/", "--json")

    first, second = ({row["tasks"]: row["count"] for row in read_table(ris(*add))} for _ in range(2))

    assert (first["known answers"], first["added"], second["added"]) == (5, 1, 0)
    assert find_gold(database) == [119]
    assert studio.tasks[119]["data"]["image"].startswith("/data/upload/5/")


def test_too_few_known_answers_and_the_order_of_the_project_are_said(ris, tmp_path, studio):
    write_known(tmp_path, 2)
    ran = ris("add", "known.json", "--project", "5", "--share", "0.5", "--prefix", "/data/upload/5/")

    output = " ".join(ran.output.split())
    assert "the share needs 19 new gold tasks, and there were 2" in output
    assert "gold tasks come last: use --shuffle" in output
    assert "sampling" not in studio.projects[5]
    assert "in random order" in ris("add", "known.json", "--project", "5", "--shuffle").output
    assert studio.projects[5]["sampling"] == "Uniform sampling"


def test_decisions_of_another_project_are_chosen(ris, database, studio):
    for number in range(1, 31):
        record_answer(database, task_of(number), 7, RIGHT)
        record_answer(database, task_of(number), 8, WRONG, minutes=1)
    choose = ("choose", "--from", "1", "--project", "5", "--annotator", "7", "--share", "0.1", "--json")

    counts = {row["tasks"]: row["count"] for row in read_table(ris(*choose))}

    assert (counts["known answers"], counts["added"]) == (30, 3)
    for number in find_gold(database):
        task = Task(number, KEY, studio.tasks[number]["data"]["image"], task_of(1).expression)
        for person, said in ((7, WRONG), (9, RIGHT)):
            record_answer(database, task, person, said)
    scored = [(row["annotator"], row["value"]) for row in read_table(ris("score", "--json"))]
    assert scored == [*[("9", 1.0)] * 3, *[("all", 1.0)] * 3]  # 7 made the masks and is not scored


def test_of_one_project_it_must_be_said_whose_decisions_are_right(ris, database):
    record_answer(database, Task(100, KEY, "/data/upload/5/100.png", "the cup"), 7, RIGHT)

    ran = ris("choose", "--from", "5", "--project", "5")
    assert "say whose decisions are right with --annotator" in str(ran.exception)
    assert ris("choose", "--from", "5", "--project", "5", "--annotator", "7").exit_code == 0
    assert find_gold(database) == [100]


@pytest.fixture
def scored(database):
    """Thirty gold tasks that three people answered, one of them mostly wrong."""
    known = [GoldTask(task_of(number), encode_rle(RIGHT), "known.json") for number in range(1, 31)]
    with database.begin() as session:
        add_gold_tasks(session, known, now=NOW)
    for number in range(1, 31):
        for person, n_right in ((7, 29), (8, 28), (9, 10)):
            record_answer(database, task_of(number), person, RIGHT if number <= n_right else WRONG)


def test_who_lies_below_all_others_is_named(ris, scored):
    output = " ".join(ris("score").output.split())

    assert "right referent of annotator 9 lies below that of all others together" in output
    assert "annotator 7 lies" not in output
    assert "annotator 8 lies" not in output


def test_the_report_warns_of_who_lies_below(ris, scored, tmp_path):
    ran = CliRunner().invoke(root_app, ["report", "--no-pictures", "--out", "report.html"])

    assert ran.exit_code == 0, ran.output
    page = (tmp_path / "report.html").read_text()
    assert "Answers to gold tasks" in page
    assert "Warning: right referent of annotator 9 lies below that of all others together." in page


def test_without_gold_tasks_it_says_so_and_the_report_has_no_table(ris, database, tmp_path):
    record_answer(database, task_of(1), 7, RIGHT)

    assert "nobody has answered a gold task" in ris("score").output
    CliRunner().invoke(root_app, ["report", "--no-pictures", "--out", "report.html"])
    assert "gold" not in (tmp_path / "report.html").read_text()
