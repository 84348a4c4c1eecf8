"""One decision with what it was about: what exports and evaluations read."""

from dataclasses import dataclass

from ris.core.types import Alternative, Correction, Size


@dataclass(frozen=True, slots=True)
class Decision:
    """The current answer of one annotation, and what was on offer when it was made.

    Attributes:
        correction: the answer, judged.
        alternatives: the alternatives for its task and expression, best first.
        image_digest: SHA-256 of the image's file; None when the image was never seen here.
        image_size: (height, width) as displayed; None when the image was never seen here.
        version: model version of the alternatives; None when there were none.
    """

    correction: Correction
    alternatives: tuple[Alternative, ...]
    image_digest: str | None
    image_size: Size | None
    version: str | None
