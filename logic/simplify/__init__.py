"""Simplification of sentences by a table of laws, and the proof that nothing changed."""

from logic.simplify.engine import Simplified, simplify
from logic.simplify.laws import LAWS
from logic.simplify.rules import Law

__all__ = ["LAWS", "Law", "Simplified", "simplify"]
