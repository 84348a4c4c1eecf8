"""Compute suggestions for a whole dataset in advance, on one machine or on a Ray cluster."""
