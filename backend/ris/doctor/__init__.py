"""Find what will fail in a project, before it fails."""
