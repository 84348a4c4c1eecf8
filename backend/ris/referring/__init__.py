"""The methods and the ranking, as array code.

NumPy only. Networks are passed in through the protocols of `protocols.py`, so no file here depends on one.
"""
