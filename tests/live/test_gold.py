"""Gold tasks in a real Label Studio: nobody can tell them, and people are scored on them."""

import json

import pytest

from ris.core import rle
from ris.store.gold import find_gold_tasks
from ris.store.session import Database
from tests.live.support.backend_server import BackendServer
from tests.live.support.people import BRUSH, add_person, answer, make_runner
from tests.live.support.project import Project
from tests.live.support.recorded import on_record

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(studio, tmp_path_factory):
    with BackendServer(tmp_path_factory.mktemp("gold"), studio.url) as server:
        yield server


@pytest.fixture(scope="module")
def mixed(client, studio, server, samples, tmp_path_factory):
    """A project of eight tasks, one of them with a known mask, and two gold tasks that were added."""
    project, stored = Project.create(client, "mixed", BRUSH, [s.png for s in samples])
    project.connect(server.url)
    shown = [{"image": ref, "expression": s.expression} for ref, s in zip(stored, samples, strict=True)]
    ids = project.import_tasks({**one, "batch": "first"} for one in shown)
    folder = tmp_path_factory.mktemp("known")
    known = []
    for number, sample in enumerate(samples[:4]):
        (folder / f"known-{number}.png").write_bytes(sample.png)
        mask = rle.encode_rle(sample.truth)
        name = stored[0] if number == 0 else f"known-{number}.png"
        known.append({
            "image": name, "expression": sample.expression,
            "mask": {"size": list(mask.size), "counts": rle.to_string(mask)},
        })  # fmt: skip
    (folder / "known.json").write_text(json.dumps(known))
    run = make_runner(studio, server)
    run("gold", "add", str(folder / "known.json"), "--project", str(project.project_id), "--share", "0.3",
        "--images", str(folder), "--shuffle")  # fmt: skip
    return project, ids, run


def read_gold(server, project):
    database = Database.open(server.database_url)
    try:
        with database.begin() as session:
            return find_gold_tasks(session, project.key)
    finally:
        database.close()


def test_gold_tasks_are_like_the_others_in_everything_that_label_studio_tells(client, server, mixed):
    project, ids, _ = mixed
    gold = read_gold(server, project)
    assert ids[0] in gold
    assert len(gold - set(ids)) == 2  # three of ten are 0.3

    tasks = [client.call("GET", f"/api/tasks/{number}/") for number in sorted({*ids, *gold})]

    differing = {"id", "inner_id", "created_at", "updated_at", "data", "predictions", "total_predictions"}
    told = [{key: value for key, value in task.items() if key not in differing} for task in tasks]
    assert all(one == told[0] for one in told)
    assert {tuple(sorted(task["data"])) for task in tasks} == {("batch", "expression", "image")}
    assert client.call("GET", f"/api/projects/{project.project_id}")["sampling"] == "Uniform sampling"


def test_people_are_scored_on_what_is_known(client, server, mixed, samples):
    project, _, run = mixed
    careless = add_person(client, "careless")
    by_words = {sample.expression: sample for sample in samples}
    gold = sorted(read_gold(server, project))
    made = []
    for number in gold:
        truth = by_words[client.call("GET", f"/api/tasks/{number}/")["data"]["expression"]].truth
        made += [answer(project, number, truth), answer(project, number, None, careless)]
    on_record(server, project, lambda found: set(made) <= set(found))

    rows = json.loads(run("gold", "score", "--project", str(project.project_id), "--json"))["gold"]

    right = {row["annotator"]: row for row in rows if row["figure"] == "right referent"}
    (careful,) = {name for name in right if name not in ("all", str(careless))}
    assert (right[careful]["value"], right[careful]["count"]) == (1.0, len(gold))
    assert (right[str(careless)]["value"], right["all"]["value"]) == (0.0, 0.5)
