"""A vision-language model behind HTTP: the client, and what bounds its calls."""
