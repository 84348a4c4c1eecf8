from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core.types import Verdict
from ris.errors import ImageUnreachable, InputError
from ris.export.dataset import assign_split
from ris.export.jsonl import to_json_line
from ris.export.omissions import Omission
from tests.builders.decisions import ALL, decision, make_holed_mask
from tests.builders.exported import make_missing_images, make_samples


def answered(verdict, mask, *, annotation=1, minutes=0, number=1):
    """One annotator's answer to task `number`."""
    made = decision(verdict, mask, number)
    answer = made.correction.annotation
    answer = replace(
        answer, annotation_id=annotation, updated_at=answer.updated_at + timedelta(minutes=minutes)
    )
    return replace(made, correction=replace(made.correction, annotation=answer))


def fetch_nothing(task):
    raise ImageUnreachable(f"cannot fetch the image of task {task.task_id}: localhost does not answer")


FULL, EMPTY = np.ones((9, 14), np.bool_), None


def test_counts_in_equal_counts_out():
    kept, omissions = make_samples(ALL)

    assert len(kept) + len(omissions) == len(ALL)
    assert [one.reason for one in omissions] == ["it was skipped"]
    assert [s.mask is None for s in kept] == [False, True, False]


def test_only_the_verdicts_that_were_asked_for_are_kept():
    kept, omissions = make_samples(ALL, verdicts=[Verdict.ACCEPTED])

    assert [s.decision.correction.verdict for s in kept] == [Verdict.ACCEPTED]
    assert sorted(one.reason for one in omissions) == [
        "it was skipped", "its verdict is edited", "its verdict is no referent",
    ]  # fmt: skip


def test_an_image_that_was_never_seen_is_left_out_with_its_reason():
    """It may be the same image as another one, and would then be in two splits."""
    unknown = replace(ALL[0], image_digest=None, image_size=None)
    missing = make_missing_images([unknown], fetch_nothing)

    assert make_samples([unknown])[1][0].reason == "its image was never seen here"
    assert make_samples([unknown], missing=missing)[1][0].reason == (
        "its image was never seen here: cannot fetch the image of task 1: localhost does not answer"
    )


def test_a_mask_of_another_size_than_its_image_is_left_out_with_both_sizes():
    small = replace(decision(Verdict.REDRAWN, np.ones((1, 1), np.bool_)), image_size=(9, 14))

    kept, (omission,) = make_samples([small])

    assert kept == []
    assert omission == Omission("1.1700000000", 1, 1, "its mask is 1 x 1, its image 14 x 9")


def test_one_picture_has_one_name_and_one_split_whatever_its_addresses():
    images = ["/data/upload/1/a.png", "/data/upload/2/b.png", "https://x.org/c.jpg?X-Amz-Signature=1"]
    decided = [
        replace(decision(Verdict.ACCEPTED, make_holed_mask(), i, image), image_digest="cd" * 32)
        for i, image in enumerate(images)
    ]

    for seed in range(8):
        kept, _ = make_samples(decided, shares={"val": 0.5}, seed=seed)
        assert {(s.file_name, s.split) for s in kept} == {("a-cdcdcdcdcdcdcdcd.png", kept[0].split)}


def test_of_several_answers_the_latest_counts():
    early = answered(Verdict.REDRAWN, FULL, annotation=1)
    late = answered(Verdict.ACCEPTED, make_holed_mask(), annotation=2, minutes=5)

    kept, omissions = make_samples([late, early])

    assert [s.decision for s in kept] == [late]
    assert omissions[0].reason == "another answer to the same task counts (latest)"


def test_a_majority_outvotes_the_latest():
    votes = [
        answered(Verdict.ACCEPTED, make_holed_mask(), annotation=1),
        answered(Verdict.ACCEPTED, make_holed_mask(), annotation=2, minutes=1),
        answered(Verdict.REDRAWN, np.eye(9, 14, dtype=np.bool_), annotation=3, minutes=2),
        answered(Verdict.NO_REFERENT, EMPTY, annotation=4, minutes=3),
    ]

    (kept,), omissions = make_samples(votes, resolve="majority")

    assert kept.decision == votes[1]
    assert len(omissions) == 3


def test_all_answers_can_be_kept():
    votes = [answered(Verdict.ACCEPTED, make_holed_mask(), annotation=i) for i in (1, 2)]

    assert len(make_samples(votes, resolve="all")[0]) == 2


def test_all_samples_of_an_image_are_in_one_split():
    decided = [decision(Verdict.ACCEPTED, make_holed_mask(), i, expression=f"thing {i}") for i in range(20)]

    kept, _ = make_samples(decided, shares={"val": 0.5})

    assert len({s.split for s in kept}) == 1


def test_splits_have_about_their_shares_and_follow_from_the_seed():
    keys = [f"image {i}" for i in range(4000)]
    shares = {"val": 0.1, "test": 0.2}

    splits = [assign_split(key, shares, 0) for key in keys]

    assert splits == [assign_split(key, shares, 0) for key in keys]
    assert splits != [assign_split(key, shares, 1) for key in keys]
    assert splits.count("val") == pytest.approx(400, abs=70)
    assert splits.count("test") == pytest.approx(800, abs=90)


@given(st.text(max_size=30), st.integers(0, 99))
def test_without_shares_everything_is_for_training(key, seed):
    assert assign_split(key, {}, seed) == "train"
    assert assign_split(key, {"test": 1.0}, seed) == "test"


@pytest.mark.parametrize("shares", [{"val": -0.1}, {"val": 0.6, "test": 0.6}, {"val": float("nan")}])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(InputError, match="at least 0 and at most 1 in total"):
        make_samples(ALL, shares=shares)


@pytest.mark.parametrize("name", ["", "a b", "../val", "val-1"])
def test_a_name_that_no_split_can_have_is_refused(name):
    with pytest.raises(InputError, match="must have only letters, digits and _"):
        make_samples(ALL, shares={name: 0.5})


def test_a_dataset_does_not_give_the_signature_of_an_address_away():
    made = answered(Verdict.ACCEPTED, FULL)
    annotation = made.correction.annotation
    task = replace(annotation.task, image_url="https://bucket/a.png?X-Amz-Signature=abc&v=2")
    signed = replace(made, correction=replace(made.correction, annotation=replace(annotation, task=task)))

    (sample,), _ = make_samples([signed])

    assert sample.image_url == to_json_line(signed)["image"] == "https://bucket/a.png?X-Amz-Signature=***&v=2"
