"""The nouns of the product as frozen NumPy types, and pure functions on them.

No I/O, no network, no torch: what is here can be read and tested with NumPy and Pillow alone.
"""
