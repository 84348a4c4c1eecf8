"""Checks of expressions: odd characters, no noun, words that are nearly those of another expression."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

from ris.core.expression import ParsedExpression
from ris.quality.findings import FindingKind, TaskFinding
from ris.store.checked import CheckedTask

_ARTICLES = frozenset({"a", "an", "the"})
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_MARKUP = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);|</?[a-zA-Z][^>]*>")
_JOINERS = "\u200c\u200d"  # Persian, Indian scripts and emoji need them
_CONFUSABLE = ("LATIN", "CYRILLIC", "GREEK")
_NAMING = ("NOUN", "PROPN", "PRON", "NUM")  # parts of speech that can name what is meant
_PLACES = frozenset(
    (
        "left",
        "right",
        "top",
        "bottom",
        "middle",
        "center",
        "centre",
        "front",
        "back",
        "corner",
        "side",
        "end",
        "edge",
        "background",
        "foreground",
    )
)  # fmt: skip - nouns that say where, and not what
_MIN_LETTERS = 4  # of a word that may differ by one letter: of shorter ones most are words of their own


def split_words(text: str) -> list[str]:
    """Split a text into its words, in lower case, without punctuation and articles."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = _WORD.findall(folded)
    return [word for word in words if word not in _ARTICLES] or words


def make_words_key(text: str) -> str:
    """Make a key that is equal for texts with the same words; the text itself where it has no words."""
    return " ".join(split_words(text)) or text.strip()


def find_odd_characters(task: CheckedTask) -> Iterator[TaskFinding]:
    """Find what no person types: control characters, markup, wrongly decoded text, mixed scripts."""
    text = task.task.expression
    odd = [f"U+{ord(c):04X}" for c in dict.fromkeys(text) if _is_odd(c)]
    odd += _MARKUP.findall(text)
    odd += [word for word in _WORD.findall(text) if _mixes_scripts(word)]
    if (right := _decode_again(text)) is not None:
        odd.append(f"wrongly decoded: {right}")
    if not any(c.isalnum() for c in text):
        odd.append("no letter")
    if odd:
        sentence = f"the expression has odd characters ({', '.join(odd)[:80]}): write it again"
        yield TaskFinding(FindingKind.ODD_CHARACTERS, sentence, (task,), {"found": odd})


def _is_odd(character: str) -> bool:
    category = unicodedata.category(character)
    return (category in ("Cc", "Cf", "Co", "Cn", "Cs") and character not in _JOINERS) or character == "\ufffd"


def _decode_again(text: str) -> str | None:
    """Return the text that was meant, if its UTF-8 was read as Windows-1252; None otherwise."""
    if text.isascii():
        return None
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None


def _mixes_scripts(word: str) -> bool:
    names = [unicodedata.name(c, "") for c in word if c.isalpha()]
    return len({script for script in _CONFUSABLE for name in names if name.startswith(script)}) > 1


def find_missing_heads(
    tasks: Iterable[CheckedTask], parse: Callable[[str], ParsedExpression]
) -> Iterator[TaskFinding]:
    """Find English expressions in which no noun says what is meant, as in "on the left".

    Each text is parsed once.
    """
    has_head: dict[str, bool] = {}
    for task in tasks:
        text = task.task.expression
        if text not in has_head:
            is_latin = any("a" <= c <= "z" for c in text.lower())
            has_head[text] = not is_latin or _names_something(parse(text))
        if not has_head[text]:
            sentence = f"no noun in {text!r:.80} says what is meant: name the object"
            yield TaskFinding(FindingKind.NO_HEAD, sentence, (task,))


def _names_something(parsed: ParsedExpression) -> bool:
    if parsed.primary is None:
        return False
    word = parsed.words[parsed.primary]
    return word.pos in _NAMING and word.text not in _PLACES


def find_nearly_same_words(tasks: Sequence[CheckedTask]) -> Iterator[TaskFinding]:
    """Find expressions of one image that differ by one letter of one word, as by a typo or a plural.

    Expressions are put into buckets by all their words but one, so the cost grows with the words, not with
    the pairs.
    """
    keys: dict[str, CheckedTask] = {}
    for one in tasks:
        keys.setdefault(make_words_key(one.task.expression), one)
    buckets: dict[tuple[int, tuple[str, ...]], list[str]] = {}
    for key in keys:
        words = key.split(" ")
        for i, word in enumerate(words):
            if len(word) >= _MIN_LETTERS:
                buckets.setdefault((i, (*words[:i], *words[i + 1 :])), []).append(key)
    for (place, _), members in buckets.items():
        for other in members[1:]:
            first = next((m for m in members if m is not other and _is_near(m, other, place)), None)
            if first is None or members.index(first) > members.index(other):
                continue
            pair = keys[other], keys[first]
            sentence = (
                f"{pair[0].task.expression!r:.60} is nearly {pair[1].task.expression!r:.60} of "
                f"{pair[1].name} on the same image: check that both are meant"
            )
            yield TaskFinding(
                FindingKind.NEARLY_SAME_WORDS, sentence, pair, {"other": pair[1].task.expression}
            )


def _is_near(one: str, two: str, place: int) -> bool:
    return is_one_edit(one.split(" ")[place], two.split(" ")[place])


def is_one_edit(one: str, two: str) -> bool:
    """Return whether two different words differ by one letter, or by two neighbours that changed places."""
    if one == two or abs(len(one) - len(two)) > 1:
        return False
    start = next(
        (i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two))
    )
    rest, other = one[start:], two[start:]
    if len(one) == len(two):
        return rest[1:] == other[1:] or (rest[:2] == other[1::-1] and rest[2:] == other[2:])
    return rest[1:] == other or rest == other[1:]
