"""The tiny world: drawn scenes with exact masks, and expressions that are true of exactly one thing in them.

What draws scenes, words them, stores them and tokenises them belongs here. Networks and training do not:
this folder needs NumPy, Pillow and OpenCV only, and the tokenizer alone needs more.
"""
