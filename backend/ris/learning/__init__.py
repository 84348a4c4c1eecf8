"""Learning from annotators' decisions: weights and temperatures of the fusion, and a calibration.

The result is a few coefficients, stored in SQL as JSON with the figures of the fit. Nothing is pickled.
"""
