"""Ablations: each method with one setting changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from ris.core.types import Image
from ris.referring.global_local import GlobalLocal
from ris.referring.iterprime import IterPrime
from ris.referring.lgd import Lgd
from ris.referring.pipeline import Pipeline
from ris.referring.protocols import Describer, Method

GLOBAL_LOCAL_ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "as it is": {},
    "crop only": {"view_weight": 0.0},
    "whole only": {"view_weight": 1.0},
    "sentence only": {"text_weight": 1.0},
    "noun phrase only": {"text_weight": 0.0},
}
LGD_ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "as it is": {},
    "neither description": {"attribute_weight": 0.0, "surrounding_weight": 0.0},
    "looks only": {"surrounding_weight": 0.0},
    "surroundings only": {"attribute_weight": 0.0},
    "rectifier on": {"rectifier": "plain words"},
    "released rectifier on": {"rectifier": "released"},
}
ITERPRIME_ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "as it is": {},
    "refinement off": {"iterations": 1},
    "emphasis off": {"emphasis": "focus words"},
    "repeated only": {"emphasis": "repeated"},
    "local only": {"emphasis": "local only"},
    "peak filter on": {"peak_filter": True},
    "position ramps on": {"position_ramps": True},
}


def add_ablations(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with all variants of each method, named "method: variant"."""
    variants = [(variant, method.name) for method in pipeline.methods for variant in _make_ablations(method)]
    own = pipeline.parsers
    return replace(
        pipeline,
        methods=tuple(variant for variant, _ in variants),
        parsers={variant.name: own[name] for variant, name in variants if name in own},
    )


def _make_ablations(method: Method) -> Iterator[Method]:
    if isinstance(method, GlobalLocal):
        for name, changes in GLOBAL_LOCAL_ABLATIONS.items():
            yield replace(method, name=f"{method.name}: {name}", settings=replace(method.settings, **changes))
    elif isinstance(method, Lgd):
        describer = MemoisedDescriber(method.describer)
        for name, changes in LGD_ABLATIONS.items():
            settings = replace(method.settings, **changes)
            yield replace(method, name=f"{method.name}: {name}", describer=describer, settings=settings)
    elif isinstance(method, IterPrime):
        for name, changes in ITERPRIME_ABLATIONS.items():
            yield replace(method, name=f"{method.name}: {name}", settings=replace(method.settings, **changes))


@dataclass
class MemoisedDescriber:
    """A describer that answers each prompt once, for all variants of a method.

    Attributes:
        describer: gives the answers.
        answers: the answers so far, by digest of the image and prompt.
    """

    describer: Describer
    answers: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model = self.describer.model

    def look(self, image: Image) -> NDArray:
        """Return what the describer needs of an image."""
        return self.describer.look(image)

    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """Return one answer for each prompt."""
        missing = [p for p in dict.fromkeys(prompts) if (digest, p) not in self.answers]
        if missing:
            new = self.describer.describe(digest, looked, missing)
            self.answers |= {(digest, p): a for p, a in zip(missing, new, strict=True)}
        return [self.answers[digest, prompt] for prompt in prompts]
