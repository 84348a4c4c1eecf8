"""Read a label config: which tags show the image and the expression, and which take the answer."""
