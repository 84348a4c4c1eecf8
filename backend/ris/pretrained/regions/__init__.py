"""Masks without a network: grouping for proposals, GrabCut for clicks and boxes."""
