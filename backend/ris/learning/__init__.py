"""What the decisions of annotators teach: weights and temperatures of the fusion, and a calibration.

No pickles: what is learned is a few coefficients, kept in SQL with the figures that speak for them.
"""
