"""Probe a model: ask it for shapes at known places, and find out how it writes coordinates."""

from collections.abc import Mapping, Sequence

from ris.core.types import Box
from ris.errors import EndpointError, GroundingError
from ris.pretrained.endpoint.picture import encode_jpeg
from ris.referring.grounding.dialects import DIALECTS, SYNTAXES, Dialect, write_out
from ris.referring.grounding.finding import Finding, find_prior
from ris.referring.grounding.fitting import MIN_ACCURACY, Observation, fit_reading
from ris.referring.grounding.probe_pictures import ABSENT, ProbePicture, draw_probe_pictures
from ris.referring.grounding.question import Question
from ris.referring.grounding.things import WrittenAnswer
from ris.referring.protocols import VisionModel

_MIN_ACCURACY_OF_OTHERS = 0.9


def probe_model(model: VisionModel) -> Finding:
    """Ask a model for shapes on wide, tall, square and large pictures, and find the reading that fits.

    The question of the family that the model's name suggests is tried first, then those of the others, until
    the answers fit. That takes 13 calls where the first question fits, and up to 12 more for each other one.
    The others must fit better, because among several questions one may fit by chance.

    Raises:
        EndpointError: the server failed, or no reading fits its answers.
    """
    prior = find_prior(model.model)
    questions = {dialect.prompt: dialect for dialect in (prior, *DIALECTS.values())}
    pictures, best = draw_probe_pictures(), None
    jpegs = {picture.name: encode_jpeg(picture.pixels) for picture in pictures}
    for dialect in dict.fromkeys([prior.name, *(one.name for one in questions.values())]):
        answers = _ask_all(model, DIALECTS[dialect], pictures, jpegs)
        if answers is None:
            continue
        finding = _make_finding(model, DIALECTS[dialect], answers)
        if finding.accuracy and (best is None or finding.accuracy > best.accuracy):
            best = finding
        if finding.accuracy >= (MIN_ACCURACY if dialect == prior.name else _MIN_ACCURACY_OF_OTHERS):
            return finding
    found = (
        f"at best {100 * best.accuracy:.0f} % of its answers are right" if best else "it gives no coordinates"
    )
    raise EndpointError(
        f"model {model.model!r} is not asked where things are: no reading fits its answers about shapes at "
        f"known places ({found}). Use a model that was trained to give boxes or points, such as Qwen3-VL"
    )


Answered = tuple[ProbePicture, Box, WrittenAnswer | None, str]


def _ask_all(
    model: VisionModel, dialect: Dialect, pictures: Sequence[ProbePicture], jpegs: Mapping[str, bytes]
) -> list[Answered] | None:
    """Ask for every shape; None if nothing of the first picture's answers can be read."""
    answered: list[Answered] = []
    for picture in pictures:
        for expression, box in picture.boxes.items():
            written, syntax = _ask(model, dialect, jpegs[picture.name], expression)
            answered.append((picture, box, written, syntax))
        if not any(written for *_, written, _ in answered):
            return None
    return answered


def _ask(
    model: VisionModel, dialect: Dialect, jpeg: bytes, expression: str
) -> tuple[WrittenAnswer | None, str]:
    reply = model.ask(_make_question(dialect, jpeg, expression))
    for name, syntax in SYNTAXES.items():
        try:
            written = write_out(reply.text, (syntax,))
        except GroundingError:
            continue
        if written.things:
            return written, name
    return None, ""


def _make_finding(model: VisionModel, dialect: Dialect, answered: Sequence[Answered]) -> Finding:
    names = [syntax for *_, syntax in answered if syntax]
    syntax = max(dict.fromkeys(names), key=names.count)
    things = [
        written.things[0] if written is not None and name == syntax else None
        for _, _, written, name in answered
    ]
    observations = [
        Observation(picture.name, picture.size, box, thing)
        for (picture, box, *_), thing in zip(answered, things, strict=True)
    ]
    fit = fit_reading(observations, dialect.reading)
    return Finding(
        model=model.model,
        dialect=dialect.name,
        syntax=syntax,
        keys=tuple(dict.fromkeys(thing.key for thing in things if thing is not None)),
        reading=fit.reading,
        accuracy=fit.accuracy,
        error=fit.error,
        says_none=_says_none(model, dialect, answered[0][0]) if fit.is_usable else False,
    )


def _says_none(model: VisionModel, dialect: Dialect, picture: ProbePicture) -> bool:
    written = model.ask(_make_question(dialect, encode_jpeg(picture.pixels), ABSENT))
    try:
        return write_out(written.text, dialect.syntaxes).says_none
    except GroundingError:
        return False


def _make_question(dialect: Dialect, jpeg: bytes, expression: str) -> Question:
    task = f"probe {dialect.name} {expression}"
    return Question(jpeg, dialect.make_prompt(expression), task, schema=dialect.make_schema())
