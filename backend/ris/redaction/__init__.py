"""Redact secrets and escape control characters: for logs, errors, answers and storage."""
