"""The data types of the product, frozen and on NumPy, and pure functions on them.

No I/O, no networks, no torch.
"""
