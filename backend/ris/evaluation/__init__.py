"""Numbers about the methods: what was right, on what, with which certainty.

Every sample counts: what has no suggestion is a miss. Nothing here loads a network; `refcoco.images` and
`refcoco.results` alone read files.
"""
