"""The networks: the only package that imports torch, open_clip, segment_anything, transformers or spaCy.

The classes implement the protocols of `ris.referring.protocols` and return NumPy arrays, never tensors.
"""
