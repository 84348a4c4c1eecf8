import json

import pytest
from typer.testing import CliRunner

from ris import assembly
from ris.cli import benchmark_vlm
from ris.cli.app import root_app
from ris.core.shares import Share
from ris.evaluation.tinyworld.drawn_model import DrawnModel
from tests.builders.quarters import make_quarters_pipeline


@pytest.fixture(scope="module")
def figures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "load_pipeline", lambda plan: make_quarters_pipeline())
        patch.setattr(benchmark_vlm, "DRAWN_RIGHT_RATES", (0.0, 0.9))
        command = ["benchmark", "vlm", "--scenes", "40", "--per-scene", "1", "--json"]
        ran = CliRunner().invoke(root_app, command, env={"COLUMNS": "240"})
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.output)


def test_there_are_figures_for_each_rate_and_without_a_model(figures):
    assert (figures["model_version"], figures["scenes"], figures["seed"]) == ("quarters", 40, 940_001)
    assert list(figures["right_answers"]) == ["without", "0.0", "0.9"]


def test_a_model_that_lies_costs_nothing_after_learning_and_one_that_is_right_helps(figures):
    lying, right = figures["right_answers"]["0.0"], figures["right_answers"]["0.9"]

    assert lying["top 1, learned, gain"]["mean"] >= -0.005
    assert right["top 1, learned, gain"]["low"] > 0
    assert right["recovered, proposals taken away"]["mean"] > 0.6
    assert right["recall"]["mean"] > 0.5


def test_the_tables_have_a_row_for_each_rate(capsys):
    benchmark_vlm.show_vlm_figures({"without": {"top 1": Share(0.5, 0.4, 0.6, 10)}, "0.9": {}})

    shown = capsys.readouterr().out
    for title in benchmark_vlm.VLM_TABLES:
        assert title in shown
    assert "0.500" in shown


def test_the_model_is_the_grounder_and_the_verifier():
    assert make_quarters_pipeline(DrawnModel(1.0)).method_names == ("grounder", "attributes", "verifier")
