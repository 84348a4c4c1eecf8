from ris.tinyworld.samples import make_samples


def test_samples_are_the_same_for_the_same_seed():
    first, second = make_samples(3, seed=5), make_samples(3, seed=5)

    assert [(s.png, s.expression) for s in first] == [(s.png, s.expression) for s in second]


def test_samples_take_turns_in_the_kinds_of_expression():
    assert [s.kind for s in make_samples(4)] == ["attribute", "position", "relation", "category"]


def test_a_samples_truth_is_a_mask_of_its_picture():
    for sample in make_samples(3):
        assert sample.truth.shape == sample.pixels.shape[:2]
        assert sample.truth.any()
