import re
from html import unescape
from urllib.parse import urlsplit

from ris.core.types import Verdict
from ris.label_config import read
from ris.service import SyncResult
from ris.store.sync_states import save_sync_failure, save_sync_success, save_webhook_fault
from ris.web.app import create_app
from ris.web.handlers import Services
from tests.builders.events import event, process
from tests.builders.records import add, correction
from tests.builders.services import NOW

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def shown(backend):
    answer = create_app(backend).test_client().get("/", headers=BROWSER)
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    return answer.text


def test_a_browser_sees_what_was_decided(backend, recording, database, offered):
    process(recording, database, event(offered()[0]))

    page = shown(backend)

    assert "decisions: 1; fake-1" in page
    assert "1 accepted" in page


def test_figures_are_of_the_newest_decisions_and_counts_are_of_all(backend, database):
    oldest = correction(1, seconds=0, verdict=Verdict.SKIPPED, annotator=41)
    others = [correction(n, seconds=n, verdict=Verdict.NO_REFERENT, annotator=42) for n in range(2, 1002)]
    add(database, *others, oldest)

    page = shown(backend)

    assert "decisions: 1001; fake-1" in page
    assert "Figures, pictures and charts are of the newest 1000 of 1001 decisions" in page
    assert '<td>no referent</td><td class="number">1000</td>' in page
    assert '<td>skipped</td><td class="number">1</td>' in page
    assert "<td>42</td>" in page
    assert "<td>41</td>" not in page


def find_charts(page):
    return [unescape(address) for address in re.findall(r'src="(charts/[^"]+)"', page)]


def test_the_page_names_the_charts_of_its_filter_and_the_browser_asks_for_each(backend, database, client):
    add(database, correction(1, annotator=41), correction(2, annotator=42, verdict=Verdict.NO_REFERENT))

    charts = find_charts(client.get("/?annotator=41&kind=", headers=BROWSER).text)

    assert [urlsplit(chart).path for chart in charts] == [
        "charts/ranks.svg", "charts/ious.svg", "charts/times.svg",
    ]  # fmt: skip
    for chart in charts:
        answer = client.get(f"/{chart}")
        assert (answer.status_code, answer.content_type) == (200, "image/svg+xml")
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert [
        urlsplit(chart).path for chart in find_charts(client.get("/?annotator=42", headers=BROWSER).text)
    ] == ["charts/times.svg"]


def test_the_address_of_a_chart_changes_with_the_decisions_so_that_none_is_old(backend, database):
    add(database, correction(1))
    before = find_charts(shown(backend))
    assert find_charts(shown(backend)) == before

    add(database, correction(1, seconds=9, rank=1))

    assert set(find_charts(shown(backend))).isdisjoint(before)


def test_a_chart_that_is_not_there_is_refused_with_a_sentence(client):
    answer = client.get("/charts/ranks.svg")

    assert answer.status_code == 400
    assert "there is no chart 'ranks' of these decisions" in answer.text


def test_a_program_is_answered_with_the_readiness(client, suggesting, gate):
    gate.opened.set()
    suggesting.worker._pipeline.result()

    assert client.get("/").get_json()["model_version"] == "fake-1"
    assert client.get("/", headers={"Accept": "*/*"}).get_json()["status"] == "UP"


def test_a_project_that_never_sent_a_webhook_is_told(backend, client):
    config = read("tabs_brush.xml")
    client.post("/setup", json={"project": "8.1700000000", "schema": config})

    assert "no webhook has come from project 8 yet; run `ris connect`" in shown(backend)


def test_the_inbox_and_the_last_sync_stand_on_the_page(suggesting, recording, refining):
    recording.record({"action": "ANNOTATION_CREATED"})
    while recording.process_events():
        pass
    done = SyncResult("8.1700000000", 5, 4, 2, 1, n_failed=3)
    backend = Services(
        suggesting,
        recording,
        refining,
        deadline_s=60,
        start_training=lambda: True,
        get_last_syncs=lambda: (done,),
    )

    page = shown(backend)

    assert '<td>failed</td><td class="number">1</td>' in page
    numbers = "".join(f'<td class="number">{n}</td>' for n in (5, 4, 2, 1, 3))
    assert f"<td>project 8</td>{numbers}<td>not in step</td>" in page


def test_the_state_of_the_sync_of_each_project_stands_on_the_page(backend, database):
    with database.begin() as session:
        save_sync_success(session, 2, at=NOW)
        save_webhook_fault(session, 2, "it is switched off", at=NOW, is_repaired=True)
        save_sync_failure(session, 3, "project 3 is <gone>", at=NOW, is_missing=True)

    page = shown(backend)

    assert "<td>project 2</td>" in page
    assert "<td>2026-01-02 00:00 UTC: it is switched off; repaired</td>" in page
    assert "no success yet; failed once, last " in page
    assert "project 3 is &lt;gone&gt;" in page


def test_what_was_not_understood_stands_above_everything_in_red(backend, recording, database, offered):
    assert 'class="alarm"' not in shown(backend)

    process(recording, database, event([{"type": "vectorlabels", "id": "v"}], number=1), event([3], number=2))

    page = shown(backend)
    assert '<p class="alarm" role="alert">2 answers cannot be read and are not decisions;' in page
    assert '<td>kind of region</td><td class="number">1</td><td>draw it with a brush' in page


def test_the_page_asks_for_the_password(backend):
    guarded = create_app(backend, basic_auth=("ris", "open")).test_client()

    assert guarded.get("/", headers=BROWSER).status_code == 401
