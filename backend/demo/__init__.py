"""The main job, played in a real Label Studio: for newcomers, and for the live tests.

Nothing of the product's own path lives here.
"""
