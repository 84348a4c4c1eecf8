"""Read datasets of referring expressions from files, strictly, as their own readers do."""
