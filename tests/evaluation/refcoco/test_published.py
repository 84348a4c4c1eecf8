from dataclasses import replace

import pytest

from ris.datasets.benchmark import PUBLISHED_COUNTS
from ris.evaluation.refcoco.published import PUBLISHED, find_published


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({"metric": ""}, "needs a metric, oIoU or mIoU, got ''"),
        ({"metric": "IoU"}, "needs a metric, oIoU or mIoU, got 'IoU'"),
        ({"source": " "}, "needs its source"),
        ({"value": 0.0}, "must be in percent"),
        ({"value": 100.0}, "must be in percent"),
    ],
)
def test_a_figure_without_metric_source_or_percentage_cannot_be_made(change, pattern):
    with pytest.raises(ValueError, match=f"GL-CLIP on refcoco val {pattern}"):
        replace(PUBLISHED[0], **change)


def test_no_figure_stands_twice_and_each_is_of_a_split_that_was_counted():
    keys = [(p.method, p.networks, p.dataset, p.split_by, p.split, p.metric, p.source) for p in PUBLISHED]

    assert len(set(keys)) == len(keys)
    assert {(p.dataset, p.split_by, p.split) for p in PUBLISHED} == set(PUBLISHED_COUNTS)


def test_the_two_metrics_of_the_lgd_log_are_not_swapped():
    """Small referents are missed more often, so mIoU is above oIoU on every split."""
    found = [p for p in PUBLISHED if p.method.startswith("LGD")]
    by_metric = {
        metric: {(p.method, p.dataset, p.split_by, p.split): p.value for p in found if p.metric == metric}
        for metric in ("oIoU", "mIoU")
    }

    assert by_metric["oIoU"].keys() == by_metric["mIoU"].keys()
    assert len(by_metric["oIoU"]) == 18
    assert all(by_metric["mIoU"][key] > value for key, value in by_metric["oIoU"].items())


def test_a_split_is_printed_with_the_figures_of_its_own():
    found = {(p.method, p.networks, p.metric): p.value for p in find_published("refcocog", "google", "val")}

    assert found["GL-CLIP, run again", "CLIP ViT-B/32, FreeSOLO", "oIoU"] == 30.77
    assert found["LGD, 0.5 and -1.0", "CLIP ViT-B/32, LLaVA 7B, SAM", "mIoU"] == 49.22
    assert "HybridGL" not in {method for method, _, _ in found}
    assert find_published("mine", "ris", "val") == ()


def test_what_networks_saw_of_these_images_is_said():
    training_data = {p.method: p.training_data for p in PUBLISHED}

    assert "Mask2Former saw masks of these images" in training_data["IteRPrimE"]
    assert "may have seen boxes" in training_data["LGD, 0.5 and -1.0"]
    assert training_data["GL-CLIP"] == ""
    assert all("not verified" in p.note for p in PUBLISHED if p.method == "IteRPrimE")
