"""Corrected data in the formats that the field reads, one file a format.

Counts in equal counts out: what a format cannot hold is listed with its reason, never dropped.
"""
