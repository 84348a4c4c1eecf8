"""Decisions of annotators, as exports, evaluations and learning read them."""

from dataclasses import dataclass

from ris.core.types import Alternative, Correction, Size


@dataclass(frozen=True, slots=True)
class Decision:
    """The current answer of one annotation, with the alternatives that it was compared with.

    Attributes:
        correction: the answer and its verdict.
        alternatives: those of its task and expression, best first.
        image_digest: SHA-256 of the image's file; None when this backend never fetched the image.
        image_size: (height, width) as displayed; None when this backend never fetched the image.
        version: model version of the alternatives; None when there were none.
    """

    correction: Correction
    alternatives: tuple[Alternative, ...]
    image_digest: str | None
    image_size: Size | None
    version: str | None
