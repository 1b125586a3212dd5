"""Certificates: what a verification found, written so that other programs can check it (`logic.checker`)."""
