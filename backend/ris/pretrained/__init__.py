"""The networks: the only folder that imports torch, open_clip, segment_anything, transformers or spaCy.

They serve the Protocols of `backend/ris/referring/protocols.py` and give NumPy; no tensor leaves this folder.
"""
