"""People disagree in a real Label Studio, somebody settles it, and the export takes what was settled."""

import json

import numpy as np
import pytest

from ris.core import rle
from ris.core.types import Verdict
from ris.datasets.refcoco import read_refs
from tests.live.support.backend_server import BackendServer
from tests.live.support.people import BRUSH, add_person, answer, make_runner
from tests.live.support.project import Project
from tests.live.support.recorded import on_record

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(studio, tmp_path_factory):
    with BackendServer(tmp_path_factory.mktemp("adjudication"), studio.url) as server:
        yield server


@pytest.fixture(scope="module")
def disputed(client, server, samples):
    """Three tasks: two people agree on the first, and differ on the second by more than on the third."""
    second_person = add_person(client, "second")
    project, stored = Project.create(client, "disputed", BRUSH, [s.png for s in samples[:3]])
    project.connect(server.url)
    data = zip(stored, samples[:3], strict=True)
    ids = project.import_tasks([{"image": ref, "expression": s.expression} for ref, s in data])
    halves = [sample.truth.copy() for sample in samples[:3]]
    halves[2][:, int(np.median(np.nonzero(halves[2])[1])) - 3 :] = False  # less than half of it is left
    first = [answer(project, task, sample.truth) for task, sample in zip(ids, samples, strict=False)]
    second = [
        answer(project, ids[0], samples[0].truth, second_person),
        answer(project, ids[1], None, second_person),
        answer(project, ids[2], halves[2], second_person),
    ]
    on_record(server, project, lambda found: {*first, *second} <= set(found))
    return project, ids


@pytest.fixture(scope="module")
def run(studio, server):
    return make_runner(studio, server)


def adjudicate(run, project):
    """Fill the project "settled"; its number, and the counts."""
    number = str(project.project_id)
    out = run("adjudicate", "--project", number, "--into", "settled", "--json")
    counts = {row["tasks"]: row["count"] for row in json.loads(out)["adjudication"]}
    (found,) = project.client.call("GET", "/api/projects", title="settled")["results"]
    return Project(project.client, found["id"]), counts


def pick(project, task, choice):
    """Submit a task as the editor does after a key was pressed: all regions, and the choice."""
    (prediction,) = project.predictions(task)
    chosen = {
        "id": "choice0", "from_name": "pick", "to_name": "image", "type": "choices", "origin": "manual",
        "value": {"choices": [choice]},
    }  # fmt: skip
    return project.annotate(task, [*prediction["result"], chosen], parent_prediction=prediction["id"])


def test_what_people_disagree_on_is_settled_and_exported(disputed, client, server, run, samples, tmp_path):
    project, _ = disputed
    settling, counts = adjudicate(run, project)
    assert (counts["people disagree"], counts["added now"]) == (2, 2)

    # The label stream serves the task first on which people disagree most, with the answers on the image.
    task = client.call("GET", f"/api/projects/{settling.project_id}/next")
    assert task["data"]["expression"] == samples[1].expression
    (prediction,) = task["predictions"]
    assert [region["value"]["brushlabels"] for region in prediction["result"]] == [["1st"]]
    told = json.dumps({key: task[key] for key in ("data", "meta", "predictions")})
    assert "second" not in told
    first = pick(settling, task["id"], "1st")

    task = client.call("GET", f"/api/projects/{settling.project_id}/next")
    assert task["data"]["expression"] == samples[2].expression
    labels = [region["value"]["brushlabels"][0] for region in task["predictions"][0]["result"]]
    assert labels == ["1st", "2nd"]
    second = pick(settling, task["id"], "2nd")
    found = on_record(server, settling, lambda found: {first, second} <= set(found))
    taken = [found[number].correction for number in (first, second)]
    assert [(one.verdict, one.rank) for one in taken] == [(Verdict.ACCEPTED, 0), (Verdict.ACCEPTED, 1)]

    # A second run adds nothing and changes nothing.
    again, counts = adjudicate(run, project)
    assert again.project_id == settling.project_id
    assert (counts["settled"], counts["added now"], counts["waiting"]) == (2, 0, 0)
    assert client.call("GET", f"/api/projects/{settling.project_id}")["task_number"] == 2
    assert len(client.call("GET", "/api/webhooks/", project=settling.project_id)) == 1

    out = tmp_path / "out"
    run("export", "--project", str(project.project_id), "--resolve", "adjudicated", "--format", "grefcoco",
        "--out", str(out))  # fmt: skip
    masks = {entry.expression: entry.mask for entry in read_refs(out / "grefcoco")}
    assert masks[samples[0].expression] == rle.encode_rle(samples[0].truth)
    assert masks[samples[1].expression] == rle.encode_rle(samples[1].truth)
    assert masks[samples[2].expression] == taken[1].annotation.mask
    run("validate", str(out))
