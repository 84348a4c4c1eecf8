"""The HTTP edge: the only folder that knows Flask.

Routes parse, call and answer; what they hand on is opened by `backend/ris/labelstudio` alone.
"""
