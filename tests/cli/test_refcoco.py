"""`ris benchmark refcoco`: killed, torn, in shards, without its images, and against the drawn scenes' own."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from ris import assembly, config, planning
from ris.cli import root_app
from ris.core import rle
from ris.errors import BackendError, DatasetError, InputError
from ris.evaluation.refcoco import results as pieces
from ris.evaluation.refcoco.results import read_results
from ris.evaluation.tinyworld import samples as tinyworld
from ris.evaluation.tinyworld import tables as report
from ris.export.drawn_scenes import DrawnScene, write_drawn_scenes
from tests.builders.command_line import ROOT
from tests.builders.fakes import COLOURS, squares
from tests.cli.squares import squares_pipeline, squares_plan

pytestmark = pytest.mark.program

N_IMAGES = 12
TINY = planning.make_plan, assembly.load_pipeline


@pytest.fixture
def drawn(tmp_path):
    """Twelve pictures of four squares, each somewhat darker than the one before, with two expressions."""
    scenes = []
    for darker in range(N_IMAGES):
        pixels = np.maximum(squares().astype(np.int16) - 4 * darker, 0).astype(np.uint8)
        masks = {name: np.all(squares() == np.array(c) * 255, axis=-1) for name, c in COLOURS.items()}
        scenes.append(
            DrawnScene(pixels, [(f"the {name}", rle.encode_rle(masks[name])) for name in ("red", "blue")])
        )
    write_drawn_scenes(scenes, tmp_path / "drawn")
    return tmp_path / "drawn"


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(planning, "make_plan", squares_plan)
    monkeypatch.setattr(assembly, "load_pipeline", squares_pipeline)
    monkeypatch.setattr(pieces, "IMAGES_PER_PIECE", 2)


def ris(*arguments):
    ran = CliRunner().invoke(root_app, ["benchmark", *map(str, arguments)])
    if isinstance(ran.exception, BackendError):
        raise ran.exception
    assert ran.exit_code == 0, ran.output
    return ran


def process(*arguments, **env):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cli.squares", "benchmark", "refcoco", *map(str, arguments)],
        cwd=ROOT, env=os.environ | env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def results(folder):
    """All rows without what they cost, in the order of the dataset."""
    rows = read_results([folder]).drop_columns(["seconds"]).to_pylist()
    return sorted(rows, key=lambda row: (row["sample"], row["method"]))


def test_after_a_kill_nothing_is_done_twice_and_nothing_is_missing(drawn, tmp_path):
    log = tmp_path / "seen"
    out = tmp_path / "out"
    killed = process(drawn, "--out", out, SEEN=str(log), BLOCK_AT="8")
    while not log.exists() or len(log.read_text().splitlines()) < 8:
        assert killed.poll() is None
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    after_the_kill = len(results(out))

    again = process(drawn, "--out", out, SEEN=str(log))
    shown, told = again.communicate()

    assert again.returncode == 0, told
    assert after_the_kill == 6 * 2 * 2  # the two images of the piece that was being made are lost
    assert "12 images, 6 of them done before, 6 to do with fake-1" in told
    assert len(log.read_text().splitlines()) == 8 + 6
    assert "24 expressions, 12 images" in shown
    assert [row["sample"] for row in results(out)] == [i // 2 for i in range(48)]
    assert {row["iou"] for row in results(out)} == {1.0}


def test_a_torn_piece_is_told_and_done_again(drawn, tmp_path, fake):
    ris("refcoco", drawn, "--out", tmp_path / "out")
    whole = results(tmp_path / "out")
    torn = sorted((tmp_path / "out").iterdir())[3]
    torn.write_bytes(torn.read_bytes()[:-30])

    ran = ris("refcoco", drawn, "--out", tmp_path / "out")

    assert f"{torn} is damaged and was removed; its images are computed again" in ran.stderr
    assert "10 of them done before, 2 to do" in ran.stderr
    assert results(tmp_path / "out") == whole


def test_what_is_done_is_only_printed_and_fresh_does_it_again(drawn, tmp_path, fake, monkeypatch):
    log = tmp_path / "seen"
    monkeypatch.setenv("SEEN", str(log))
    for arguments, seen in (([], 12), ([], 12), (["--resume"], 12), (["--fresh"], 24)):
        ris("refcoco", drawn, "--out", tmp_path / "out", *arguments)

        assert len(log.read_text().splitlines()) == seen


def test_shards_together_are_the_whole(drawn, tmp_path, fake):
    folders = [tmp_path / f"part-{number}" for number in (1, 2, 3)]
    for number, folder in enumerate(folders, 1):
        ris("refcoco", drawn, "--out", folder, "--shard", f"{number}/3")
    whole = json.loads(ris("refcoco", drawn, "--out", tmp_path / "whole", "--json").stdout)

    together = json.loads(ris("refcoco-table", *folders, "--json").stdout)

    assert whole["splits"][0]["expressions"] == 24
    for figures in (together, whole):
        for ranking in figures["splits"][0]["rankings"].values():
            del ranking["seconds"]
    assert together == whole


def test_missing_and_broken_images_are_misses_that_are_counted(drawn, tmp_path, fake):
    first, second, *_ = sorted((drawn / "images").iterdir())
    first.unlink()
    second.write_bytes(b"no picture")

    ran = ris("refcoco", drawn, "--out", tmp_path / "out")

    assert f"1 of 12 images are not in {drawn / 'images'}, the first is {first.name}" in ran.stderr
    assert "2 expressions without an answer of global-local, fusion: there is no such image" in ran.stdout
    assert (
        "2 expressions without an answer of global-local, fusion: its 10 bytes are no picture" in ran.stdout
    )
    rows = results(tmp_path / "out")
    assert [row["iou"] for row in rows].count(0.0) == 8
    assert {row["union_px"] for row in rows} == {64}


def test_a_folder_without_any_of_the_images_is_refused_before_anything_is_written(drawn, tmp_path, fake):
    with pytest.raises(DatasetError, match="has none of the 12 images, the first is 'scene-00000.*--images"):
        ris("refcoco", drawn, "--images", tmp_path, "--out", tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_results_of_another_model_are_refused(drawn, tmp_path, fake, monkeypatch):
    ris("refcoco", drawn, "--out", tmp_path / "out")
    monkeypatch.setenv("VERSION", "fake-2")

    with pytest.raises(DatasetError, match="holds results of fake-1, and this is fake-2"):
        ris("refcoco", drawn, "--out", tmp_path / "out")


def test_a_shard_without_images_says_so(drawn, fake):
    with pytest.raises(InputError, match="shard 1/999999 has no images; take fewer shards"):
        ris("refcoco", drawn, "--shard", "1/999999")


def test_a_part_of_a_published_split_is_printed_with_a_warning_and_the_papers_figures(drawn, tmp_path, fake):
    refcoco = drawn.rename(tmp_path / "refcoco")
    (refcoco / "refs(ris).p").rename(refcoco / "refs(unc).p")
    (refcoco / "refs(ris).json").unlink()

    shown = ris("refcoco", refcoco, "--split", "val", "--out", tmp_path / "out").stdout

    assert "warning: refcoco (unc) val has 24 expressions here and 10834 as published" in shown
    assert "refcoco unc val: 24 expressions, 12 images" in shown
    assert "100.00 [100.00, 100.00]" in shown
    assert "new_param_result.txt" in shown
    figures = json.loads(ris("refcoco-table", tmp_path / "out", "--json").stdout)
    lgd = [p for p in figures["splits"][0]["published"] if p["method"] == "LGD, 0.5 and -1.0"]
    assert {p["metric"]: p["value"] for p in lgd} == {"mIoU": 45.41, "oIoU": 34.47}


def test_of_expressions_without_a_referent_it_is_said_what_their_figures_mean(drawn, tmp_path, fake):
    refs = json.loads((drawn / "refs(ris).json").read_text())
    for ref in refs:
        ref["ann_id"] = [-1] if ref["ref_id"] % 2 else [ref["ann_id"]]
    for file in ("refs(ris).p", "refs(ris).json"):
        (drawn / file).unlink()
    (drawn / "grefs(unc).json").write_text(json.dumps(refs))

    shown = ris("refcoco", drawn, "--out", tmp_path / "out").stdout

    assert re.search(r"fusion +│ 50.00 │ 50.00 \[50.00, 50.00\] │ 100.00 .* │ +0.00 │ 100.00 │", shown)
    assert "An expression has no answer only if its image has no proposed mask" in shown


def test_drawn_scenes_as_files_give_the_figures_of_the_benchmark_on_drawn_scenes(tmp_path, monkeypatch):
    """The way through RefCOCO's files, PNGs and Parquet loses nothing: the same share, exactly."""
    pipeline = TINY[1](TINY[0](config.read_settings(preset="tiny")))
    monkeypatch.setattr(assembly, "load_pipeline", lambda plan: pipeline)
    ris("export-tinyworld", tmp_path / "drawn", "--scenes", "1")

    shown = ris("refcoco", tmp_path / "drawn", "--preset", "tiny", "--out", tmp_path / "out", "--json").stdout

    worlds = tinyworld.make_worlds(1, split="train", seed=tinyworld.TEST_SEED)
    samples = [
        s for n, w in enumerate(worlds) for s in tinyworld.evaluate_world(pipeline, w, n, propose=True)[0]
    ]
    wanted = report.to_json_table(report.tabulate_by_kind(samples, report.make_end_to_end_metric(1)))["all"]
    rankings = json.loads(shown)["splits"][0]["rankings"]
    assert len(samples) == tinyworld.MAX_EXPRESSIONS_PER_SCENE
    assert set(rankings) == {"global-local", "lgd", "iterprime", "spatial", "fusion"}
    assert {name: ranking["precision"]["0.5"] for name, ranking in rankings.items()} == {
        name: wanted[name] for name in rankings
    }


def test_drawn_scenes_are_not_written_over_anything(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(DatasetError, match="is not empty; give a folder that does not exist yet"):
        ris("export-tinyworld", tmp_path, "--scenes", "1")


def test_the_pictures_that_are_written_are_the_scenes(tmp_path):
    ris("export-tinyworld", tmp_path / "drawn", "--scenes", "1")

    (picture,) = (tmp_path / "drawn" / "images").iterdir()
    (world,) = tinyworld.make_worlds(1, split="train", seed=tinyworld.TEST_SEED)
    assert (np.asarray(Pillow.open(picture)) == world.image).all()
