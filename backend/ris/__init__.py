"""A Label Studio backend for referring-expression segmentation.

Data flows one way: Label Studio task -> Task -> Image -> Proposals -> Scene -> scores per method ->
ranking -> Suggestions -> regions -> Label Studio, and back: annotator -> events -> store -> export.
"""

__version__ = "0.2.0"
