"""The record of decisions in SQL: the only folder that knows SQLAlchemy.

Functions take a session and give our frozen types; rows do not leave this folder.
"""
