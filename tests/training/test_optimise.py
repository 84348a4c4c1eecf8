"""Trainings that are stopped and gone on with."""

import json

import torch
from torch import nn

from training.optimise import Optimisers, run_training_steps


def trained(out, *, stop_after, steps=6):
    """Weights of a small network, learning from the step's number alone; what was exported, and the steps."""
    out.mkdir(exist_ok=True)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 3))
    optimisers, exported, seen = Optimisers(model, steps=steps), [], []
    for step, curve in run_training_steps(out, model, optimisers, lambda m, folder: exported.append(folder)):
        seen.append(step)
        loss = model(torch.full((2, 64), step / steps)).square().mean()
        optimisers.step(loss, step)
        curve.add("loss", loss.item())
        if step == stop_after:
            break
    return [p.detach().clone() for p in model.parameters()], exported, seen


def test_a_stopped_training_goes_on_as_if_it_had_not_been_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("training.optimise._CHECKPOINT_INTERVAL", 3)
    whole, _, _ = trained(tmp_path / "whole", stop_after=None)

    _, _, first = trained(tmp_path / "stopped", stop_after=5)
    again, exported, second = trained(tmp_path / "stopped", stop_after=None)

    assert (first, second) == ([1, 2, 3, 4, 5], [4, 5, 6])
    assert exported == [tmp_path / "stopped"]
    for one, two in zip(again, whole, strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_a_training_that_is_over_does_nothing_more(tmp_path):
    trained(tmp_path, stop_after=None)

    assert trained(tmp_path, stop_after=None)[1:] == ([], [])


def test_the_last_step_is_on_the_curve(tmp_path):
    trained(tmp_path, stop_after=None)

    (line,) = (tmp_path / "curve.jsonl").read_text().splitlines()
    assert json.loads(line)["step"] == 6
