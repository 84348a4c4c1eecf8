"""A service over fakes that behave: coloured squares for images, a real SQLite file for the record."""
