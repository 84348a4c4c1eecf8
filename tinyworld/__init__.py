"""The tiny world: drawn scenes with exact masks, and expressions that are true of exactly one thing in them.

Scenes and expressions need NumPy, Pillow and OpenCV only, for the product draws them too. The tokenizer and
the trainings of the tiny networks stand beside them; nothing that draws or words a scene imports those.
"""
