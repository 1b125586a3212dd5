"""Causality: whether what a network computes at a position depends on the letters up to that position only.

The criterion reads references and guards and knows no weights, so it is sufficient and not necessary: every reference of a
node with positions is to a position that is never after all of the node's own, every sum and maximum with positions has a
guard that keeps its bound position there, and nothing with positions reads the length n. Values without positions may read
everything, as an answer once for each word does, but what reads them must have no positions either, unless they are constants.
"""

from __future__ import annotations

from circuits.network import Affine, Maximum, Network, Node, Predicates, Sum, references
from circuits.positions import LAST, All, Any_, AtLeast, Equals, Guard, Term, guard_terms, var


def never_after(term: Term, n_variables: int) -> bool:
    """Tell whether a term is, for all values of its variables, at most one and the same of variables 0..n_variables-1."""
    return any(is_at_most_zero(term - var(variable)) for variable in range(n_variables)) or (
        n_variables > 0 and is_at_most_zero(term - 1)
    )


def is_at_most_zero(term: Term) -> bool:
    """Tell whether a term of variables that are at least 1 is never positive; so is the length."""
    coefs = [*(coef for _, coef in term.coefs), term.n_coef]
    return all(coef <= 0 for coef in coefs) and term.const + sum(coefs) <= 0


def keeps_before(guard: Guard, bound: int) -> bool:
    """Tell whether a guard implies that variable number `bound` is at most one of the variables below it."""
    match guard:
        case AtLeast(term):
            return never_after(var(bound) + term, bound)
        case Equals(term):
            return never_after(var(bound) + term, bound) or never_after(var(bound) - term, bound)
        case All(parts):
            return any(keeps_before(part, bound) for part in parts)
        case Any_(parts):
            return all(keeps_before(part, bound) for part in parts)
        case _:
            return False


def constants_of(network: Network) -> set[str]:
    """The nodes without positions that depend neither on letters nor on the length."""
    found: set[str] = set()
    for node in network.nodes:
        sources = references(node)
        if node.n_positions or isinstance(node, Predicates | Sum):
            continue
        if isinstance(node, Affine) and node.length.any():
            continue
        if isinstance(node, Maximum) and node.guard is not None:
            continue
        if all(ref.node in found for ref, _ in sources):
            found.add(node.name)
    return found


def not_causal(network: Network) -> str:
    """Why a network that reads words is not causal; nothing if it is."""
    if network.inputs or not network.alphabet:
        return "the network reads no word"
    constants = constants_of(network)
    for node in network.nodes:
        if why := moves_pairs(node, network):
            return why
        if node.n_positions and (why := looks_ahead(node, network, constants)):
            return f"the network is not causal: `{node.name}` {why}"
    return ""


def looks_ahead(node: Node, network: Network, constants: set[str]) -> str:
    """What a node with positions reads that is not at or before one of them."""
    k = node.n_positions
    guard = node.guard if isinstance(node, Sum | Maximum) else None
    if guard is not None and not keeps_before(guard, k):
        return "ranges over positions after its own"
    guards = (*node.guards,) if isinstance(node, Predicates) else () if guard is None else (guard,)
    terms = [term for one in guards for term in guard_terms(one)]
    if any(term.n_coef for term in terms) or (isinstance(node, Affine) and node.length.any()):
        return "depends on the length of the word"
    for ref, extra in references(node):
        if not ref.at and ref.node not in constants:
            return f"reads `{ref.node}`, which depends on the whole word"
        for term in ref.at:
            if term.n_coef:
                return f"reads `{ref.node}` at a position that depends on the length of the word"
            if not never_after(term, k + extra):
                return f"reads `{ref.node}` after its own position"
    return ""


def moves_pairs(node: Node, network: Network) -> str:
    """What a node reads that has several positions, at other ones than the variables and the last."""
    for ref, extra in references(node):
        own = {LAST, *(var(variable) for variable in range(node.n_positions + extra))}
        source = network.by_name[ref.node]
        if source.n_positions > 1 and not isinstance(source, Predicates) and not own.issuperset(ref.at):
            return f"`{node.name}` reads `{ref.node}`, a value at several positions, at moved ones"
    return ""
