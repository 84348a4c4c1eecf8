"""What a model says is there: boxes, points and polygons."""

from dataclasses import dataclass

from ris.core.types import Box
from ris.referring.grounding.reading import Point


@dataclass(frozen=True, slots=True)
class WrittenThing:
    """One thing as a model wrote it: numbers without a frame.

    Attributes:
        box: four numbers in the model's order; () for none.
        named_box: x1, y1, x2, y2 of a box whose numbers have names; () for none.
        points: pairs of numbers in the model's order.
        named_points: x, y pairs of points whose numbers have names.
        polygons: each pairs of numbers in the model's order.
        label: as the model wrote it.
        key: the name under which the box or point stands, e.g. "bbox_2d"; "" without one.
    """

    box: tuple[float, ...] = ()
    named_box: tuple[float, ...] = ()
    points: tuple[float, ...] = ()
    named_points: tuple[float, ...] = ()
    polygons: tuple[tuple[float, ...], ...] = ()
    label: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """The content of an answer.

    Attributes:
        things: in the model's order; empty without any.
        says_none: whether the answer says that there is no such thing; only without things.
        is_cut: whether the answer ends in the middle.
    """

    things: tuple[WrittenThing, ...]
    says_none: bool = False
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class GroundedThing:
    """One thing in the frame of the image as displayed.

    Attributes:
        box: XYXY in pixels; None where the model gave none.
        points: x and y in pixels, inside of the image.
        polygons: each at least three points, x and y in pixels.
        label: as the model wrote it.
    """

    box: Box | None = None
    points: tuple[Point, ...] = ()
    polygons: tuple[tuple[Point, ...], ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class Grounding:
    """A model's answer to where something is.

    Attributes:
        things: in the model's order, each once; empty where it says that there is no such thing.
        notes: what was mended, one sentence each.
    """

    things: tuple[GroundedThing, ...]
    notes: tuple[str, ...] = ()

    def is_joint(self, count: int) -> bool:
        """Whether the things together are what an expression refers to, as of "the two dogs".

        Args:
            count: of the expression; 0 for an unstated number above one.
        """
        return len(self.things) > 1 and count in (0, len(self.things))
