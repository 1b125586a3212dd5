"""Network = family, replayed: an induction over the nodes of the network, in the order of the file.

Given the contracts of what a node reads (an exact node's entry has its value; the bits of a word spell its code) the entries of
that name must have the node's. Nothing is taken from the program that built the family, nor from the one that proved it.
"""

from __future__ import annotations

from typing import Any, assert_never

from circuits.diagnostics import FomError
from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits
from circuits.family import Family
from circuits.formats import BIT
from circuits.functions import written_out
from circuits.matrices import identity
from circuits.network import (
    Affine,
    Exact,
    Function,
    Inputs,
    Letters,
    Maximum,
    Network,
    Node,
    Predicates,
    Product,
    Quotient,
    Round,
    Sum,
    Table,
)
from circuits.positions import TRUE
from logic.checker.denominators import check_denominators
from logic.checker.forms import ONE, Reader, Sums, bits_of, column, own
from logic.checker.products import check_product
from logic.checker.record import Record, Rejected, Step, at_place, require
from logic.checker.searches import check_maximum, check_quotient, check_round, check_table


def replay_network(network: Network, family: Family, record: Record, given: dict[str, Any]) -> list[Step]:
    """Replay every node; what covers each. `given` has the step that the certificate claims for a node.

    Raises:
        Rejected: at the first node that does not hold up.
    """
    network = written_out(network)
    try:
        network.check()
        family.check()
    except FomError as error:
        raise Rejected("network and family", error.diagnostics[0].message) from None
    reader = Reader(network, family)
    check_frame(network, family)
    steps = []
    for node in network.nodes:
        with at_place(f"node `{node.name}`"):
            check_entries(reader, node)
            step = replay_node(reader, record, node, given.get(node.name, {}))
            if not isinstance(node, Exact) and node.format != BIT:
                value = Sums(node.size)
                reader.put_value(value, node, own(node.n_positions), None, identity(node.size))
                reader.sums(node.name).require_equal(value)
            record.count("nodes")
            steps.append({"node": node.name, **step})
    return steps


def check_frame(network: Network, family: Family) -> None:
    """Require the same alphabet, domain, readout, inputs and format of the decision."""
    readout = network.decided
    for what, wanted, found in (
        ("alphabet", network.alphabet, family.alphabet),
        ("domain", network.domain, family.domain),
        ("readout", readout, family.readout),
        ("format of the decision", network.word(readout.decision).format, family.decision_format),
        ("input", network.inputs, family.inputs),
    ):
        require(wanted == found, f"the {what}", f"the network has {wanted}, the family {found}")
    known = {n for s in network.nodes if isinstance(s, Letters | Inputs) for n in bits_of(s.name, s.format)}
    for entry in family.entries:
        if isinstance(entry, InputBits):
            require(entry.name in known, f"`{entry.name}`", "the network has no such input")


def check_entries(reader: Reader, node: Node) -> None:
    """Require the entries of a node: their kind, size and positions."""
    kinds: dict[str, type[Entry]] = {}
    if isinstance(node, Exact) or node.format != BIT:
        kinds[node.name] = Accumulator
    if not isinstance(node, Exact):
        kind: type[Entry] = Gates
        if isinstance(node, Letters | Inputs):
            kind = InputBits
        elif isinstance(node, Predicates):
            kind = PredicateBits
        kinds.update((name, kind) for name in bits_of(node.name, node.format))
    for name, wanted in kinds.items():
        entry = reader.entry(name)
        require(isinstance(entry, wanted), f"`{name}`", f"the entry is {type(entry).__name__}, not {wanted.__name__}")
        shape = (entry.size, entry.n_positions)
        require(shape == (node.size, node.n_positions), f"`{name}`", "the entry has another size or other positions")
        require(not isinstance(entry, InputBits) or entry.base == node.name, f"`{name}`", "it belongs to another input")


def replay_node(reader: Reader, record: Record, node: Node, given: Any) -> Step:
    """Replay one node from the contracts of its sources."""
    match node:
        case Letters() | Inputs():
            return {"by": "input"}
        case Predicates():
            entry = reader.entry(node.name)
            found = entry.guards if isinstance(entry, PredicateBits) else ()
            for element, pair in enumerate(zip(node.guards, found, strict=True)):
                wanted, other = (reader.guard(guard, node.n_positions) for guard in pair)
                require(wanted == other, f"`{node.name}` element {element}", "the guards differ")
            return {"by": "guards", "count": node.size}
        case Affine() | Sum():
            wanted_sums = exact_sums(reader, node)
            reader.sums(node.name).require_equal(wanted_sums)
            record.count("coefficients", sum(weights.nnz for weights in wanted_sums.parts.values()))
            return {"by": "coefficients", "digest": wanted_sums.digest()}
        case Product():
            return check_product(reader, record, node)
        case Round():
            return check_round(reader, record, node)
        case Table():
            return check_table(reader, record, node)
        case Quotient():
            step = check_quotient(reader, record, node)
            lines = given.get("denominators") if isinstance(given, dict) else None
            return {**step, "denominators": check_denominators(reader, record, node, lines)}
        case Maximum():
            return check_maximum(reader, record, node)
        case Function():
            raise Rejected("", "the function is not written out")
        case _:
            assert_never(node)


def exact_sums(reader: Reader, node: Affine | Sum) -> Sums:
    """What an affine map, or a sum over positions, adds up."""
    if isinstance(node, Sum):
        return reader.value(node.operand, identity(node.size), reader.guard(node.guard, node.n_positions))
    result = Sums(node.size)
    for operand in node.operands:
        result.add_all(reader.value(operand.ref, operand.matrix))
    result.add((ONE, (), None), column(node.const))
    result.add((ONE, (), TRUE), column(node.length))
    return result
