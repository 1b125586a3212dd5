"""Searching for the shortest sentence that agrees with samples: words with the truth to be explained."""
