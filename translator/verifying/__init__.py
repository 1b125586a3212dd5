"""Verification: what is asked, on which scope, and the claims that answer it."""
