"""Label Studio's JSON and API, both ways: what it sends becomes our types, what we offer becomes its regions.

No Label Studio dict leaves this folder except to be handed to Flask or to the network unopened.
"""
