"""Parse expressions with spaCy; the referent is found by the noun-phrase rule of Global-Local CLIP."""

import json
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

import spacy
from packaging.requirements import Requirement
from spacy.language import Language
from spacy.tokens import Doc, Span, Token

from ris.core.expression import ParsedExpression, Word
from ris.core.tree import Node, Tree
from ris.errors import WeightsError
from ris.pretrained.language import english_ud

# spaCy imports curated-transformers where it is installed (extra `trf`), which still scripts its functions.
warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated", category=FutureWarning)

_LANGUAGES = (english_ud.EnglishUD,)  # the import registers "en_ud" with spaCy

# CLIP has 77 tokens, about 350 characters of English; RefCOCOg's longest expressions have about 250.
MAX_PARSED_CHARACTERS = 600
MAX_DESCRIPTION_CHARACTERS = 2000  # a describer's texts are longer; each phrase is encoded alone


class SpacyParser:
    """A spaCy pipeline as `referring.protocols.Parser`.

    It takes pipelines with UD labels (the embedded one) and with spaCy's own labels (en_core_web_*).
    """

    def __init__(self, nlp: Language) -> None:
        self.nlp = nlp

    @classmethod
    def load(cls, path_or_name: Path | str) -> Self:
        """Load the parser in a pipeline folder, or of an installed pipeline package.

        Raises:
            WeightsError: there is no pipeline, it is damaged, it needs a package that is not installed, or it
                has no parser and tagger.
        """
        if missing := find_missing_packages(Path(path_or_name)):
            wanted = " ".join(f"'{package}'" for package in missing)
            raise WeightsError(f"the parser {path_or_name} needs other packages: pip install {wanted}")
        try:
            nlp = spacy.load(path_or_name)
            doc = nlp("the left mug")
        except Exception as error:  # spaCy, srsly and thinc have errors of their own
            raise WeightsError(
                f"the parser {path_or_name} is missing or damaged ({_get_first_line(error)}); install it "
                f"again"
            ) from error
        if not (doc.has_annotation("DEP") and doc.has_annotation("POS")):
            found = ", ".join(nlp.pipe_names) or "nothing"
            raise WeightsError(
                f"the pipeline {path_or_name} has no parser and tagger, only {found}; "
                "name one that has, such as en_core_web_sm"
            )
        return cls(nlp)

    def parse(self, expression: str) -> ParsedExpression:
        """Parse an expression; any text has a result.

        As in the source, the noun phrases are those of the normalised text, which is tokenised again. Text
        after the first 600 characters is cut, because no text encoder takes more.
        """
        text = join_tokens(self.nlp.make_doc(expression[:MAX_PARSED_CHARACTERS].lower()))
        doc = self.nlp(text)
        chunk = find_referent_chunk(doc)
        subject = chunk.text if chunk is not None else text
        others = (other for other in doc.noun_chunks if chunk is None or other.start != chunk.start)
        words = [token for token in doc if not token.is_space]
        counted, first = find_primary_word(doc, chunk), next(doc.sents, doc[:0])
        primary = find_primary_word(first, find_referent_chunk(first))
        n_first = sum(token.i < first.end for token in words)
        return ParsedExpression(
            text,
            subject,
            landmarks=tuple(other.text for other in others),
            words=tuple(Word(token.text, token.pos_, token.idx) for token in words),
            n_first_sentence=n_first if n_first < len(words) else None,
            primary=None if primary is None else words.index(primary),
            count=1 if chunk is None or counted is None else count_referents(chunk, counted),
            raw=" ".join(expression[:MAX_PARSED_CHARACTERS].split()),
        )

    def parse_tree(self, text: str) -> Tree:
        """Parse the dependency tree of a text without normalising it; any text has a result.

        Text after the first 2,000 characters is cut.
        """
        doc = self.nlp(text[:MAX_DESCRIPTION_CHARACTERS])
        phrases = tuple((chunk.start, chunk.end) for chunk in doc.noun_chunks)
        chunk = find_referent_chunk(doc)
        return Tree(
            doc.text,
            tuple(Node(token.text, token.pos_, token.idx, token.head.i) for token in doc),
            phrases,
            None if chunk is None else phrases.index((chunk.start, chunk.end)),
        )


def find_missing_packages(folder: Path) -> list[str]:
    """Find the requirements in a pipeline's `meta.json` that are not installed; none without such a file."""
    try:
        packages = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["requirements"]
        return [package for package in map(str, packages) if not _is_installed(Requirement(package))]
    except (OSError, ValueError, KeyError, TypeError):  # not a folder, or damaged: loading it says why
        return []


def _is_installed(package: Requirement) -> bool:
    try:
        return package.specifier.contains(version(package.name), prereleases=True)
    except PackageNotFoundError:
        return False


def join_tokens(doc: Doc) -> str:
    """Join tokens with single spaces: "man's" becomes "man 's".

    The source drops tokens that are exactly one space. Here every run of white space is dropped, so that no
    phrase begins with one; the tokenizers of text encoders collapse them anyway.
    """
    return " ".join(token.text for token in doc if not token.is_space)


def find_referent_chunk(part: Doc | Span) -> Span | None:
    """Find the noun phrase of the referent, with its determiner; None where there is none.

    The last root counts (an expression may have several sentences). The referent's phrase is the noun chunk
    of the root, or else that of the root's first child ("man" in "man is holding a dog").

    Source: Yu et al., CVPR 2023, arXiv:2303.17811, written for spaCy's own English labels; LGD's code has
    the same function. With those labels, the roots of "the dog is on the left" and "sitting on the bench" are
    "is" and "sitting", and a noun after a preposition depends on the preposition. UD makes "left" a root and
    "bench" a child of one, so such nouns are skipped in UD trees, which gives the source's results.
    """
    roots = [token for token in part if token.head.i == token.i]
    if not roots:
        return None
    chunk_of = {token.i: chunk for chunk in part.noun_chunks for token in chunk}
    head, is_ud = roots[-1], part.vocab.lang == english_ud.EnglishUD.lang
    if head.i in chunk_of and not (is_ud and _has_subject(head)):
        return chunk_of[head.i]
    first = next(head.children, None)
    if first is None or (is_ud and _has_preposition(first)):
        return None
    return chunk_of.get(first.i)


def find_primary_word(whole: Doc | Span, chunk: Span | None) -> Token | None:
    """Find the word that names the referent: the last noun of its phrase, else the last noun of the text.

    This is IteRPrimE's primary word, with noun chunks in place of a constituency tree.
    """
    for part in (chunk, whole):
        nouns = [token for token in part or () if token.pos_ in ("NOUN", "PROPN")]
        if nouns:
            return nouns[-1]
    return None


_NUMBER_WORDS = {
    "both": 2, "couple": 2, "pair": 2, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7, "8": 8, "9": 9,
}  # fmt: skip
_PLURALS_WITHOUT_S = {"people", "men", "women", "children", "feet", "teeth", "mice", "geese", "oxen"}
_UNINFLECTED_NOUNS = {"sheep", "fish", "deer", "cattle", "aircraft"}  # one sheep, two sheep
_SINGULARS_WITH_S = {
    "glasses", "sunglasses", "goggles", "pants", "jeans", "trousers", "shorts", "tights", "scissors",
    "tongs", "pliers", "headphones", "binoculars", "lens", "gas", "series", "species", "news", "stairs",
}  # fmt: skip


def count_referents(chunk: Span, noun: Token) -> int:
    """Count the objects that a noun phrase refers to: 1, the number in it, or 0 for "several"."""
    numbers = [
        _NUMBER_WORDS[token.text] for token in chunk if token.text in _NUMBER_WORDS and token.i < noun.i
    ]
    word = noun.text
    looks_plural = word in _PLURALS_WITHOUT_S or (
        word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in _SINGULARS_WITH_S
    )
    if numbers and (looks_plural or word in _UNINFLECTED_NOUNS):
        return numbers[-1]
    return 0 if looks_plural and chunk[0].text not in ("a", "an", "one") else 1


def _has_subject(noun: Token) -> bool:
    return any(child.dep_.startswith("nsubj") for child in noun.children)


def _has_preposition(noun: Token) -> bool:
    return any(child.dep_ == "case" for child in noun.lefts)


def _get_first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
