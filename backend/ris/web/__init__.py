"""The HTTP routes: the only folder that imports Flask.

Routes parse a request, call a handler and answer. `ris.labelstudio` reads the bodies.
"""
