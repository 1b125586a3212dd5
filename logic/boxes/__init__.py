"""Boxes of input codes: sound bounds of a static network on them, and linear properties decided by branching."""
