"""The methods, as plain array code: what they ask of the networks, and how they score and rank.

NumPy only. Networks come in through `protocols.py`; no file here knows which ones they are.
"""
