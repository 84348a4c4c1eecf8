"""Convert the comparison of an answer with its alternatives to JSON and back."""

from collections.abc import Mapping
from typing import Any

from ris.core.comparison import Comparison


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """Return the JSON of a comparison."""
    return {
        "shown": comparison.n_shown,
        "overlaps": [list(overlap) for overlap in comparison.overlaps],
        "score": comparison.score,
        "places": list(comparison.places),
        "favourites": dict(comparison.favourites),
    }


def comparison_from_json(stored: Mapping[str, Any]) -> Comparison:
    """Return the comparison of its JSON; the inverse of `comparison_to_json`."""
    return Comparison(
        stored["shown"],
        tuple(map(tuple, stored["overlaps"])),
        stored["score"],
        tuple(stored["places"]),
        stored["favourites"],
    )
