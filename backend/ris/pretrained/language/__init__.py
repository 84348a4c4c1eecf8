"""Parsers of expressions, synonyms, and describers of objects."""
