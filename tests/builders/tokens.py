"""Expressions of plain words and the token spans of their text."""

from ris.core.expression import ParsedExpression, Word


def spans_of(text):
    """[CLS], then a token a word."""
    spans, start = [(0, 0)], 0
    for word in text.split(" "):
        spans.append((start, start + len(word)))
        start += len(word) + 1
    return spans


def parse_tokens(text, primary):
    words, start = [], 0
    for word in text.split(" "):
        words.append(Word(word, "DET" if word == "the" else "NOUN", start))
        start += len(word) + 1
    return ParsedExpression(text, text, (), tuple(words), primary)
