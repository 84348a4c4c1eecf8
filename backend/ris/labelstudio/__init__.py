"""Translate between Label Studio's JSON and our types, and call its API.

Other packages may pass Label Studio's dicts on, but do not read them.
"""
