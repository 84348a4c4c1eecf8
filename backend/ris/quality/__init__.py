"""How far a dataset can be trusted: agreement of people, and findings about tasks.

Reads the record and changes nothing in it. Pictures are drawn by `ris.evaluation`.
"""
