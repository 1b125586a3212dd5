"""What to verify, and the report that answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from logic.verdicts import Claim, Counterexample

DEFAULT_LENGTH = 8
EQUALITY_METHODS = ("exhaustive", "compositional", "monolithic")
COMPARISON_METHODS = ("exhaustive", "counts", "prefixes", "partial", "smt", "monolithic", "windows", "cells")


@dataclass(frozen=True, slots=True)
class Question:
    """What to verify.

    Attributes:
        max_length: longest words; None: 8, or the domain's bound.
        method: "auto", or the name of one method.
        where: a sentence that restricts the words, or None.
        at: a formula with one free variable that restricts the positions compared (taggers), or None.
        all_lengths: whether the verdict must hold for every length.
        timeout_s: limit for the queries to solvers, and for the comparison with a specification, a network or a property.
        against: a specification to compare the network with instead, or another network, or None.
        property_: a property of the network's answers, or the path of a VNN-LIB file, or None.
        robust: how far every number of an input may move without a change of the decision, or None; around `inputs`.
        inputs: an .npz file of inputs for `robust`.
        jobs: processes of the compositional proof.
        ledger: the file of what was proved before, or None; with `fresh` it is only added to.
        list_failures: whether to list every input on which the network does not meet the specification.
    """

    max_length: int | None = None
    method: str = "auto"
    where: str | None = None
    at: str | None = None
    all_lengths: bool = False
    timeout_s: float = 60.0
    against: str | None = None
    property_: str | None = None
    robust: float | None = None
    inputs: Path | None = None
    jobs: int = 1
    ledger: Path | None = None
    fresh: bool = False
    list_failures: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """All claims, and the verdict on what was asked: every pair of sides, on the scope asked for.

    `everywhere` tells whether that is every length of the domain; `failures` are the inputs on which the network does not meet a
    specification, where the list of them was asked for.
    """

    verdict: str
    scope: str
    claims: tuple[Claim, ...]
    notes: tuple[str, ...]
    failures: tuple[Counterexample, ...] | None = None
    everywhere: bool = False
