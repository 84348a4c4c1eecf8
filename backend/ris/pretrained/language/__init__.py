"""Parse expressions, find synonyms and describe an object in words."""
