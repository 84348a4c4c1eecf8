"""Outputs on fixed pictures: whoever changes them must say so in the model version."""

import json

import pytest

from tests.golden import OUTPUTS, compute_outputs, compute_version, find_differences

ADVICE = (
    "If that is meant, raise ALGORITHM_REVISION in {module} by one, run `python -m tests.golden` and commit "
    "both: stored suggestions are then computed anew. If it is not meant, the last change broke something."
)


@pytest.fixture(scope="module", params=OUTPUTS)
def preset(request):
    return request.param


@pytest.fixture(scope="module")
def golden(preset):
    return json.loads(OUTPUTS[preset].read_text())


@pytest.fixture(scope="module")
def outputs(preset):
    return compute_outputs(preset)


def test_outputs_change_only_together_with_the_model_version(preset, golden, outputs):
    differences = find_differences(outputs, golden["outputs"])

    if compute_version(preset) == golden["version"]:
        advice = ADVICE.format(module="backend/ris/planning.py")
        assert not differences, "\n".join(
            ["the outputs changed and the model version did not:", *differences, advice]
        )


def test_the_golden_outputs_are_those_of_this_version(preset, golden):
    assert golden["version"] == compute_version(preset), (
        "the model version changed (networks, method settings or ALGORITHM_REVISION): "
        "run `python -m tests.golden` and commit the file that it writes"
    )


def test_a_score_that_moves_or_a_mask_that_is_lost_is_a_difference(golden):
    for change in ({"score": 0.0}, {"mask": None}, {"methods": {}}):
        changed = json.loads(json.dumps(golden["outputs"]))
        first = changed["horses.png"]["horse on the right"][0]
        if change == {"mask": None}:
            changed["horses.png"]["horse on the right"] = []
        else:
            first |= change

        assert find_differences(changed, golden["outputs"])
