"""What each part of a method is worth: every method with one of its switches turned, side by side."""

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
    """The pipeline with every method in all of its variants, named "method: switch"."""
    variants = [(variant, method.name) for method in pipeline.methods for variant in _make_ablations(method)]
    own = pipeline.parsers
    return replace(
        pipeline,
        methods=tuple(variant for variant, _ in variants),
        parsers={variant.name: own[name] for variant, name in variants if name in own},
    )


def _make_ablations(method: Method) -> Iterator[Method]:
    if isinstance(method, GlobalLocal):
        for name, turned in GLOBAL_LOCAL_ABLATIONS.items():
            yield replace(method, name=f"{method.name}: {name}", settings=replace(method.settings, **turned))
    elif isinstance(method, Lgd):
        describer = MemoisedDescriber(method.describer)
        for name, turns in LGD_ABLATIONS.items():
            settings = replace(method.settings, **turns)
            yield replace(method, name=f"{method.name}: {name}", describer=describer, settings=settings)
    elif isinstance(method, IterPrime):
        for name, turns in ITERPRIME_ABLATIONS.items():
            settings_of_it = replace(method.settings, **turns)
            yield replace(method, name=f"{method.name}: {name}", settings=settings_of_it)


@dataclass
class MemoisedDescriber:
    """A describer that is asked each thing once, for all variants of a method."""

    describer: Describer
    said: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model = self.describer.model

    def look(self, image: Image) -> NDArray:
        return self.describer.look(image)

    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        missing = [p for p in dict.fromkeys(prompts) if (digest, p) not in self.said]
        if missing:
            answers = self.describer.describe(digest, looked, missing)
            self.said |= {(digest, p): a for p, a in zip(missing, answers, strict=True)}
        return [self.said[digest, prompt] for prompt in prompts]
