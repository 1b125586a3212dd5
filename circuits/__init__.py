"""Threshold circuits of constant depth: fixed-point networks, families of circuits, and single circuits."""
