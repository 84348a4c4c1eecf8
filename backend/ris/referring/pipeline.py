"""The main path: `see` an image once, `refer` to it once an expression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ris.core import rle
from ris.core.expression import ParsedExpression
from ris.core.types import Box, Image, MethodScores, Suggestion
from ris.referring.kinds import find_kind
from ris.referring.protocols import Method, Parser, Proposer, Refiner
from ris.referring.ranking import Coefficients, RankingSettings, make_suggestion_version, rank_proposals
from ris.referring.scene import PROPOSER_KEY, Scene


@dataclass(frozen=True, slots=True)
class ReferResult:
    """What one expression gave in one scene.

    Attributes:
        suggestions: best first; empty when there was nothing to rank.
        opinions: every method's, those included that could not run and so had no say in the ranking.
        version: of the suggestions, see `make_suggestion_version`.
    """

    suggestions: tuple[Suggestion, ...]
    scores: tuple[MethodScores, ...]
    version: str

    @property
    def skipped_reasons(self) -> dict[str, str]:
        """By method, why it could not run."""
        return {opinion.method: opinion.skipped_reason for opinion in self.scores if opinion.skipped_reason}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps of one preset, joined. It keeps nothing between calls.

    Attributes:
        parsers: by method's name, what it reads with instead of `parser`.
        refiner: None where nobody can point at things.
        version: names the networks, the methods and, where one is in use, the learned ranking.
    """

    proposer: Proposer
    parser: Parser
    methods: tuple[Method, ...]
    ranking: RankingSettings
    version: str
    refiner: Refiner | None = None
    parsers: Mapping[str, Parser] = field(default_factory=dict)

    def replace_ranking(self, found: Coefficients, version: str) -> "Pipeline":
        """The same networks with a ranking that was learned. What `see` gives stays the same."""
        return replace(self, ranking=self.ranking.replace_coefficients(found), version=version)

    def see(self, image: Image) -> Scene:
        """Everything about the image that no expression changes. Slow; cache it by the image's digest."""
        proposals = self.proposer.propose(image)
        return Scene(
            digest=image.digest,
            size=image.size,
            masks=tuple(rle.encode_rle(mask) for mask in proposals.masks),
            boxes=tuple(_to_box(row) for row in proposals.boxes.tolist()),
            quality=proposals.quality,
            features={
                PROPOSER_KEY: proposals.features,
                **{method.name: method.see(image, proposals) for method in self.methods},
            },
        )

    def refer(self, scene: Scene, expression: str) -> ReferResult:
        """The ranked alternatives for one expression. Fast. Never raises for odd wording."""
        (reference,) = self.refer_all(scene, [expression])
        return reference

    def refer_all(self, scene: Scene, expressions: Sequence[str]) -> tuple[ReferResult, ...]:
        """As `refer`, for several expressions of one image at once: the networks read them together."""
        parsers = [self.parsers.get(method.name, self.parser) for method in self.methods]
        parsed = {p: [p.parse(e) for e in expressions] for p in dict.fromkeys([self.parser, *parsers])}
        by_method = [m.score(scene, parsed[p]) for m, p in zip(self.methods, parsers, strict=True)]
        return tuple(
            self._rank(scene, read, tuple(said))
            for read, *said in zip(parsed[self.parser], *by_method, strict=True)
        )

    def _rank(self, scene: Scene, read: ParsedExpression, scores: tuple[MethodScores, ...]) -> ReferResult:
        settings = self.ranking.select_kind(find_kind(read.raw))
        version = make_suggestion_version(self.version, settings.alternatives)
        suggestions = rank_proposals(scene, scores, settings, count=read.count, version=version)
        return ReferResult(suggestions, scores, version)


def _to_box(row: list[float]) -> Box:
    x1, y1, x2, y2 = row
    return x1, y1, x2, y2
