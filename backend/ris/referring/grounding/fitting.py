"""Find the reading under which a model's answers fit shapes at known places."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ris.core.types import Box, Size
from ris.referring.grounding.reading import Reading
from ris.referring.grounding.things import WrittenThing

MIN_ACCURACY = 0.8  # of the answers, below which a model is not used
_RIGHT_IOU = 0.5
_SMALL_ERROR = 0.015  # of a side: no drift is looked for below it
_MAX_GAIN, _MAX_SHIFT = 0.35, 0.25  # of a drift; more is another reading


@dataclass(frozen=True, slots=True)
class Observation:
    """An answer about a shape at a known place.

    Attributes:
        picture: the name of the picture.
        sent: (height, width) of the picture as sent.
        truth: the shape's box, XYXY in shares of the sides.
        thing: what the model wrote; None where its answer could not be read.
    """

    picture: str
    sent: Size
    truth: Box
    thing: WrittenThing | None


@dataclass(frozen=True, slots=True)
class Fit:
    """A reading, and how well the answers fit it.

    Attributes:
        reading: with the drift, where one was found.
        accuracy: share of all questions whose box has an IoU of at least 0.5 with the shape, or whose point
            lies in it.
        error: median error of a coordinate, in shares of the side.
    """

    reading: Reading
    accuracy: float
    error: float

    @property
    def is_usable(self) -> bool:
        """Whether the answers fit well enough."""
        return self.accuracy >= MIN_ACCURACY


def fit_reading(observations: Sequence[Observation], prior: Reading) -> Fit:
    """Find the reading that fits best. The prior wins among equals only.

    A drift (a factor and an offset of each axis) is looked for where no reading fits closely. It is kept if
    it also halves the error on pictures that it was not computed from.

    Args:
        observations: of pictures of several shapes and sizes.
        prior: what the model's name suggests.
    """
    candidates = [prior, *(reading for reading in _list_readings() if reading != prior)]
    fits = [_measure(observations, reading) for reading in candidates]
    best = min(fits, key=lambda fit: (-fit.accuracy, fit.error))
    if best.is_usable and best.error <= _SMALL_ERROR:
        return best
    drifted = [fit for reading in candidates if (fit := _fit_drift(observations, reading)) is not None]
    if not drifted:
        return best
    closest = min(drifted, key=lambda fit: (-fit.accuracy, fit.error))
    corrected = next(fit for fit in drifted if _is_as_good(fit, closest))  # the prior comes first
    return corrected if corrected.error <= best.error / 2 and corrected.accuracy >= best.accuracy else best


def _is_as_good(fit: Fit, best: Fit) -> bool:
    return fit.accuracy >= best.accuracy and fit.error <= 1.1 * best.error + 1e-3


def _list_readings() -> Iterator[Reading]:
    for is_row_first in (False, True):
        for extent in (1000.0, 100.0, 1.0, 1024.0, 840.0):
            yield Reading("share", extent, is_row_first)
        yield Reading("resized", is_row_first=is_row_first)
        yield Reading("sent", is_row_first=is_row_first)
        for extent in (1000.0, 1.0):
            yield Reading("padded", extent, is_row_first)
            yield Reading("centred", extent, is_row_first)


def _measure(observations: Sequence[Observation], reading: Reading) -> Fit:
    errors, n_right = [], 0
    for one in observations:
        if one.thing is None:
            continue
        read, true = _read_corners(one, reading)
        errors.append(float(np.abs(read - true).max()))
        n_right += _is_right(read, one.truth)
    accuracy = n_right / max(len(observations), 1)
    return Fit(reading, accuracy, float(np.median(errors)) if errors else 1.0)


def _read_corners(one: Observation, reading: Reading) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of a box as read and the true ones, float64 [2, 2]; of points their mean, [1, 2]."""
    thing = one.thing or WrittenThing()
    plain = replace(reading, is_row_first=False)
    x1, y1, x2, y2 = one.truth
    outline = tuple(number for polygon in thing.polygons for number in polygon)
    box = [*reading.to_shares(thing.box or outline, one.sent), *plain.to_shares(thing.named_box, one.sent)]
    if box:
        corners = np.array(box)
        return np.array([corners.min(0), corners.max(0)]), np.array([[x1, y1], [x2, y2]])
    points = [*reading.to_shares(thing.points, one.sent), *plain.to_shares(thing.named_points, one.sent)]
    return np.array(points).mean(0, keepdims=True), np.array([[(x1 + x2) / 2, (y1 + y2) / 2]])


def _is_right(read: NDArray[np.float64], truth: Box) -> bool:
    x1, y1, x2, y2 = truth
    if len(read) == 1:
        x, y = read[0]
        return bool(x1 <= x <= x2 and y1 <= y <= y2)
    (left, top), (right, bottom) = read
    inside = max(min(right, x2) - max(left, x1), 0) * max(min(bottom, y2) - max(top, y1), 0)
    union = (right - left) * (bottom - top) + (x2 - x1) * (y2 - y1) - inside
    return bool(inside >= _RIGHT_IOU * union)


def _fit_drift(observations: Sequence[Observation], reading: Reading) -> Fit | None:
    """Fit a drift; None where it is none that a picture left out confirms."""
    known = [one for one in observations if one.thing is not None]
    pictures = sorted({one.picture for one in known})
    if len(pictures) < 3:
        return None
    errors, n_right = [], 0
    for left_out in pictures:
        drifted = _compute_drift([one for one in known if one.picture != left_out], reading)
        if drifted is None:
            return None
        for one in (one for one in known if one.picture == left_out):
            read, true = _read_corners(one, drifted)
            errors.append(float(np.abs(read - true).max()))
            n_right += _is_right(read, one.truth)
    found = _compute_drift(known, reading)
    if found is None:
        return None
    return Fit(found, n_right / max(len(observations), 1), float(np.median(errors)))


def _compute_drift(observations: Sequence[Observation], reading: Reading) -> Reading | None:
    pairs = [_read_corners(one, reading) for one in observations]
    read, true = (np.concatenate(values) for values in zip(*pairs, strict=True))
    gain, shift = [], []
    for axis in (0, 1):
        if np.ptp(true[:, axis]) < 0.2:
            return None
        factor, offset = np.polyfit(true[:, axis], read[:, axis], 1)
        if abs(factor - 1) > _MAX_GAIN or abs(offset) > _MAX_SHIFT:
            return None
        gain.append(float(factor))
        shift.append(float(offset))
    return replace(reading, gain=(gain[0], gain[1]), shift=(shift[0], shift[1]))
