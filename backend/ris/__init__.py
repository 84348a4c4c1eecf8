"""A Label Studio backend for referring-expression segmentation.

Suggestions: Label Studio task -> Task -> Image -> Proposals -> Scene -> scores of each method -> ranking ->
Suggestions -> regions -> Label Studio. Answers: annotator -> events -> database -> exports and learning.
"""

__version__ = "0.2.0"
