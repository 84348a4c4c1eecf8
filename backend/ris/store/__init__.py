"""The record of decisions in SQL: the only folder that imports SQLAlchemy.

Functions take a session and return frozen types; rows do not leave this folder.
"""
