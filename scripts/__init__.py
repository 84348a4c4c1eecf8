"""Programs for who develops and releases this project; none is part of the package."""
