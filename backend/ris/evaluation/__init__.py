"""Metrics of the methods, with confidence intervals.

A sample without a suggestion is a miss. No module here loads a network. Only `refcoco.images` and
`refcoco.results` read files.
"""
