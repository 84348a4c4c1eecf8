from tests.builders.decisions import DECISIONS, material


def test_views_with_alternatives_differ_from_those_without_in_nothing_else():
    made = material()

    assert [one.alternatives for one in made.records] == [()] * len(DECISIONS)
    assert list(made.full_records) == DECISIONS
    assert [s.file for s in made.samples] == [s.file for s in made.full_samples]
    assert (made.n_decisions, len(made.pictured)) == (len(DECISIONS), len(DECISIONS))


def test_masks_are_counted_without_reading_them():
    made = material()

    assert made.n_sample_masks == sum(sample.mask is not None for sample in made.samples)
    assert made.n_pictured_masks == len(DECISIONS) - 2  # one without a referent, one skipped


def test_whoever_watches_hears_of_every_page():
    heard = []
    list(material().watch(lambda *step: heard.append(step)).samples)

    assert heard == [(len(DECISIONS) - 1, len(DECISIONS) - 1)]
