"""The checks of `ris doctor`: what of an installation and of a project does not work, and what to change."""
