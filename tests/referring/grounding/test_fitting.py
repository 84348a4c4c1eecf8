from ris.referring.grounding.fitting import Observation, fit_reading
from ris.referring.grounding.reading import Reading
from ris.referring.grounding.things import WrittenThing

BOXES = [(0.1, 0.6, 0.3, 0.8), (0.7, 0.1, 0.9, 0.3), (0.5, 0.5, 0.6, 0.9)]
SIZES = {"wide": (224, 896), "tall": (896, 224), "square": (448, 448)}


def observe(write):
    return [
        Observation(name, sent, box, WrittenThing(box=write(box, sent)))
        for name, sent in SIZES.items()
        for box in BOXES
    ]


def test_the_prior_wins_where_two_readings_say_the_same():
    seen = observe(lambda box, sent: tuple(v * (sent[1], sent[0])[i % 2] for i, v in enumerate(box)))

    assert fit_reading(seen, Reading("sent")).reading == Reading("sent")
    assert fit_reading(seen, Reading("resized")).reading == Reading("resized")


def test_the_prior_loses_where_another_fits_better():
    seen = observe(lambda box, sent: tuple(1024 * v for v in box))

    assert fit_reading(seen, Reading()).reading == Reading(extent=1024.0)


def test_answers_that_could_not_be_read_count_as_wrong():
    seen = observe(lambda box, sent: tuple(1000 * v for v in box))
    unread = [Observation("wide", SIZES["wide"], BOXES[0], None)] * 9

    fit = fit_reading([*seen, *unread], Reading())
    assert (fit.accuracy, fit.is_usable) == (0.5, False)


def test_without_answers_nothing_fits():
    assert not fit_reading([Observation("wide", (1, 1), BOXES[0], None)], Reading()).is_usable


def test_equal_boxes_everywhere_fit_nothing():
    assert not fit_reading(observe(lambda box, sent: (100, 100, 400, 400)), Reading()).is_usable
