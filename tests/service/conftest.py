"""Fixtures: services over fakes, with coloured squares as images and a real SQLite file."""
