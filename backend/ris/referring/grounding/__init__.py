"""Read what vision-language models answer when they are asked where something is."""
