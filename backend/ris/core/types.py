"""The data types that layers exchange: frozen, and checked once when they are made.

Frames and units: masks and boxes are in the frame of the image as displayed (EXIF applied), in pixels. A box
is XYXY with exclusive x2 and y2. A size is (height, width).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ris.core.arrays import to_read_only
from ris.core.rle import RLE

Size = tuple[int, int]
Box = tuple[float, float, float, float]
MAX_LEAD_TIME_S = 366 * 86_400.0  # a year; a larger one comes from a wrong clock or program


@dataclass(frozen=True, slots=True)
class Task:
    """One task of Label Studio: an image and an expression.

    Attributes:
        task_id: Label Studio's id.
        project: Label Studio's project key, "<id>.<created_at as whole seconds>". The time tells a re-created
            project with the same id apart.
        image_url: exactly as the task's author wrote it.
        expression: stripped; "" until someone has typed it.
    """

    task_id: int
    project: str
    image_url: str
    expression: str


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded image, EXIF orientation applied.

    Attributes:
        pixels: uint8 [h, w, 3], RGB; fewer than `size` says if a large image was shrunk while it was decoded.
        digest: SHA-256 of the file's bytes in hex: the key of everything cached for this image.
        full_size: (height, width) as displayed, of an image that was shrunk; None for every other one.
    """

    pixels: NDArray[np.uint8]
    digest: str
    full_size: Size | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixels", to_read_only("pixels", self.pixels, np.uint8, None, None, 3))

    @property
    def size(self) -> Size:
        """(height, width) as displayed: the frame of all masks, boxes and clicks."""
        return self.full_size or (self.pixels.shape[0], self.pixels.shape[1])

    @classmethod
    def from_pixels(cls, pixels: NDArray[np.uint8]) -> "Image":
        """Make an image that has no file; its digest is that of its size and pixels.

        Args:
            pixels: uint8 [H, W, 3], RGB.
        """
        return cls(pixels, hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest())


@dataclass(frozen=True, slots=True)
class LargeImage:
    """An image that needs much memory, and therefore waits for its turn where it delays no other one.

    Attributes:
        load: fetches and decodes it. The file is not kept meanwhile: many of them would fill the memory.
    """

    load: Callable[[], Image]


@dataclass(frozen=True, slots=True)
class MethodScore:
    """The score of one method for one suggestion.

    Attributes:
        score: on the method's own scale, comparable within one expression only.
        rank: among all proposals by this method alone; 0 is best.
    """

    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class Absence:
    """What is known of whether an expression has no referent in its image.

    Attributes:
        chance: that it has none, in [0, 1].
        is_prechosen: whether the answer "object not in image" is chosen in advance, as a team asked for.
    """

    chance: float
    is_prechosen: bool = False

    @property
    def is_probable(self) -> bool:
        """Whether "probably no such thing" is offered as an alternative."""
        return self.chance >= 0.5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One ranked mask for one expression.

    Attributes:
        rank: 0 is best.
        score: in [0, 1], comparable within one expression only.
        mask: in the frame of the image as displayed.
        box: XYXY in pixels, exclusive end.
        methods: each method's own score and rank for this mask, by the method's name.
        version: the model version of the set of suggestions, see `ris.referring.ranking`.
        late_method: the method that said where the mask is, of a late proposal or a union with one; "" for
            proposals that were made without the expression.
        absence: of the expression, the same for all its suggestions; None if no method says anything of it.
    """

    rank: int
    score: float
    mask: RLE
    box: Box
    methods: Mapping[str, MethodScore]
    version: str
    late_method: str = ""
    absence: Absence | None = None


class Verdict(StrEnum):
    """What an annotator did with the alternatives, decided by pixels."""

    ACCEPTED = "accepted"
    EDITED = "edited"
    REDRAWN = "redrawn"
    NO_REFERENT = "no referent"
    SKIPPED = "skipped"

    @property
    def has_mask(self) -> bool:
        """Whether an annotation with this verdict has a mask of the referent."""
        return self in (Verdict.ACCEPTED, Verdict.EDITED, Verdict.REDRAWN)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One version of one annotator's answer, read from Label Studio's JSON.

    Attributes:
        annotation_id: Label Studio's id.
        task: the task it answers.
        updated_at: orders the versions of one annotation; time zone aware.
        mask: of the referent, with at least one pixel; None when the image has no referent and when the task
            was skipped.
        region_ids: ids of the mask regions, to find the suggestion that was edited.
        cancelled: whether the task was skipped.
        annotator: Label Studio's user id of the author; None when unknown.
        lead_time_s: seconds in the editor; None for bulk actions.
        parent_prediction: Label Studio's id of the prediction that the annotation was made from. It is stored
            and not used, because not every path through the editor sets it.
        carried_expression: the expression to use for the next image too; "" for none; None where the label
            config has no place to say so.
    """

    annotation_id: int
    task: Task
    updated_at: datetime
    mask: RLE | None
    region_ids: tuple[str, ...] = ()
    cancelled: bool = False
    annotator: int | None = None
    lead_time_s: float | None = None
    parent_prediction: int | None = None
    carried_expression: str | None = None

    def __post_init__(self) -> None:
        if self.mask is not None and not self.mask.area_px:
            raise ValueError(f"annotation {self.annotation_id}: a mask has pixels, or there is none")


@dataclass(frozen=True, slots=True)
class Correction:
    """An annotator's answer, compared with the alternatives.

    Attributes:
        annotation: the answer.
        verdict: accepted, edited, redrawn, no referent or skipped.
        rank: of the suggestion that was accepted or edited; None otherwise.
        iou: of the final mask with that suggestion, or with the most similar suggestion when redrawn; None
            when there is no mask or no suggestion.
        edit: how the suggestion was changed; None unless edited.
    """

    annotation: Annotation
    verdict: Verdict
    rank: int | None = None
    iou: float | None = None
    edit: "Edit | None" = None


@dataclass(frozen=True, slots=True)
class Edit:
    """The difference between a suggestion and the edited mask.

    Attributes:
        added_px, removed_px: number of pixels added and removed.
        boundary_iou: of the final mask with the suggestion, see `ris.core.masks.compute_boundary_iou`.
    """

    added_px: int
    removed_px: int
    boundary_iou: float


@dataclass(frozen=True, slots=True)
class Alternative:
    """One suggestion as it was shown in Label Studio.

    Attributes:
        region_id: id of its region in Label Studio.
        suggestion: the mask with its rank and scores.
        place: its position on the screen, 0 first; None when the alternatives were shown in the order of
            their ranks. A share of tasks can be shown in random order to measure position bias.
    """

    region_id: str
    suggestion: Suggestion
    place: int | None = None

    @property
    def shown_place(self) -> int:
        """Its position on the screen, 0 first."""
        return self.suggestion.rank if self.place is None else self.place


@dataclass(frozen=True, slots=True, eq=False)
class MethodScores:
    """One method's scores of all N proposals.

    Attributes:
        method: the method's name.
        scores: float32 [N], higher is better, on the method's own scale; empty when the method was skipped.
        skipped_reason: why the method could not run; "" when it ran.
        evidence: what the scores are based on, as text for people, by its kind.
        absence: whether the method says that there is no referent: 1, or that there is one: -1; 0 if it
            cannot decide. None if it says nothing of this. A method that was skipped may say it.
        heat: the method's attention map, uint8 [G, G] over the image squashed to a square, 255 is highest;
            None when it has no map.
    """

    method: str
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    skipped_reason: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    heat: NDArray[np.uint8] | None = None
    absence: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "scores", to_read_only("scores", self.scores, np.float32, None))
        if self.heat is not None:
            object.__setattr__(self, "heat", to_read_only("heat", self.heat, np.uint8, None, None))
