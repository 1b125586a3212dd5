"""Arithmetic blocks = their functions on integers.

Two steps. The family computes the block's network, for every input (`logic.proving.network_circuit`). The network computes the
function: its layers are read as matrices and compared with what the construction needs, and what the gates then do is a claim
about a few integers, proved by the solver or by enumeration. Nothing is taken from whoever built the block but the names of its
nodes.
"""

from __future__ import annotations

from collections.abc import Callable

from circuits.blocks.block import Block
from logic.proving.block_orders import prove_comparison, prove_maximum_of_pairs, prove_sorting
from logic.proving.block_sums import prove_addition, prove_iterated_addition, prove_look_ahead, prove_multiplication
from logic.proving.block_tables import prove_majority, prove_node, prove_normal_form, prove_table
from logic.proving.block_votes import prove_addition_votes, prove_comparison_votes
from logic.proving.linear import Unfit
from logic.proving.network_circuit import prove_network_circuit
from logic.proving.session import Session
from logic.verdicts import Proof

SPECIFICATIONS: dict[str, Callable[[Block, Session], None]] = {
    "comparison": prove_comparison,
    "comparison, small weights": prove_comparison_votes,
    "addition": prove_addition,
    "addition, look-ahead": prove_look_ahead,
    "addition, small weights": prove_addition_votes,
    "iterated addition": prove_iterated_addition,
    "counting": prove_iterated_addition,
    "multiplication": prove_multiplication,
    "maximum of pairs": prove_maximum_of_pairs,
    "sorting": prove_sorting,
    "majority": prove_majority,
    "parity": prove_table,
    "symmetric function": prove_table,
    "table": prove_table,
    "normal form": prove_normal_form,
    "rounding": prove_node,
    "quotient": prove_node,
    "maximum": prove_node,
}


def prove_block(block: Block, evidence: Callable[[str, str], None] | None = None) -> Proof:
    """Prove that the circuit of a block gives its function, for every input.

    Args:
        evidence: called with the statement and the SMT-LIB script of each obligation that the solver proved.
    """
    built = prove_network_circuit(block.network, block.family, evidence=evidence)
    session = Session(block.family, evidence=evidence)
    kind = block.name.removesuffix(", compact").removesuffix(", balanced").removesuffix(", shallow")
    try:
        SPECIFICATIONS[kind](block, session)
    except Unfit as error:
        session.trouble(f"{block.name}: {error}")
    found = session.proof()
    return Proof((*built.lemmas, *found.lemmas), (*built.open, *found.open))
