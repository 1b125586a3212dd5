"""The monolithic query: both sides grounded as they are, one question to z3 for each length.

It is what the other methods are measured by.
"""

from __future__ import annotations

from collections.abc import Sequence

from circuits.network import Network
from logic.comparing.methods import Finding, Limit
from logic.comparing.problem import Problem


class Naive:
    """Every word of the network an integer of the solver, every quantifier of a sentence unfolded."""

    name = "monolithic"

    def obstacle(self, problem: Problem) -> str:
        """Networks of numbers, and answers that no small set of formulas tells apart."""
        return networks_obstacle(problem)

    def forecast(self, problem: Problem, n: int) -> float:
        """Infinite: it is there to be asked by name."""
        return float("inf")

    def decide(self, problem: Problem, lengths: Sequence[int], limit: Limit) -> Finding:
        """One query for each length."""
        from logic.comparing.solved import by_queries
        from logic.smt.comparing_words import GroundedWords

        return by_queries(problem, lengths, limit, lambda: GroundedWords)


def networks_obstacle(problem: Problem) -> str:
    """Why a formula for each number cannot tell what the networks of a problem decide; nothing if it can."""
    from logic.smt.comparing_words import unreadable

    networks = [problem.network, *([problem.rival] if isinstance(problem.rival, Network) else [])]
    return next((why for network in networks if (why := unreadable(network))), "")
