"""Network = family, at every length: an induction over the nodes of the network.

The *contract* of a node says: at every length and all positions, the family's entries of that name have the node's value (an
accumulator), and the bits of a word are the bits of its code. Given the contracts of what a node reads, its own is proved from
the arrays of the family alone: linear parts by comparing coefficients, gates by a lemma for every pattern of numbers, valid for
all integers. Nothing depends on n or on positions, so the contracts hold at every length; and nothing is taken from whoever
built the family: entries belong to a node by name, helpers by being read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import assert_never

from circuits.diagnostics import FomError
from circuits.entries import Accumulator, Gates, InputBits, PredicateBits
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
from logic.proving.digests import entry_names, node_digests
from logic.proving.ledger import Ledger
from logic.proving.linear import ONE, Form, Reader, Unfit, bit_names, column, differing, own_variables
from logic.proving.maxima import prove_maximum
from logic.proving.parallel import run
from logic.proving.products import prove_product
from logic.proving.quotients import prove_quotient
from logic.proving.roundings import prove_search
from logic.proving.session import Record, Session, proof_of
from logic.telling import Progress, silent
from logic.verdicts import Proof


def prove_network_circuit(
    network: Network,
    family: Family,
    progress: Progress = silent,
    evidence: Callable[[str, str], None] | None = None,
    jobs: int = 1,
    ledger: Ledger | None = None,
) -> Proof:
    """Prove that a family computes a network, at every length of the domain.

    Args:
        progress: called with the name of each node before it is looked at; with several processes, after.
        evidence: called with the statement and the SMT-LIB script of each obligation that the solver proved. Nothing is then
            taken from the ledger, and one process does all.
        jobs: how many processes prove nodes at the same time.
        ledger: proofs of before, which are not repeated, and to which new ones are added.

    Raises:
        FomError: the *network* is malformed, decides nothing, or has a function whose table is too wide.
            Whatever is wrong with the family becomes an open obligation.
    """
    network.check()
    network = written_out(network)
    session = Session(family, progress, evidence, ledger)
    try:
        family.check()
        reader = Reader(network, family)
    except FomError as error:
        for diagnostic in error.diagnostics:
            session.trouble(f"{diagnostic.where or 'the family'}: {diagnostic.message}")
        return session.proof()
    except Unfit as error:
        session.trouble(str(error))
        return session.proof()
    check_frame(network, family, session)
    for node in network.nodes:
        check_entries(family, session, node)
    if session.open:
        return session.proof()
    return proof_of([session.take(), *prove_nodes(reader, session, jobs)])


def prove_nodes(reader: Reader, session: Session, jobs: int) -> list[Record]:
    """Prove the contracts of all nodes: from the ledger, or in several processes, as none needs the proof of another."""
    network, ledger, alone = reader.network, session.ledger, session.evidence is not None
    keys = node_digests(network, reader.family) if ledger is not None else {}
    records: dict[str, Record] = {}
    for node in network.nodes if ledger is not None and not alone else ():
        known = ledger.find(keys[node.name]) if ledger is not None else None
        if known is not None:
            records[node.name] = Record(known)
    left = [node for node in network.nodes if node.name not in records]

    def work(node: Node) -> Record:
        session.progress(f"`{node.name}`")
        try:
            prove_node(reader, session, node)
        except Unfit as error:
            session.trouble(f"`{node.name}`: {error}")
        return session.take()

    weights = [float(weight_of(reader.family, node)) for node in left]
    jobs = 1 if alone else jobs
    for number, record in run(work, left, jobs, weights):
        name = left[number].name
        records[name] = record
        if jobs > 1:
            session.progress(f"`{name}`")
        if ledger is not None:
            for key, steps in record.decided:
                ledger.put(key, steps)
            if not record.open:
                ledger.put(keys[name], record.steps)
    return [records[node.name] for node in network.nodes]


def weight_of(family: Family, node: Node) -> int:
    """About how much there is to compare for a node: the wires of its entries and of the helpers that these read."""
    seen, stack, total = set[str](), entry_names(node), 0
    while stack:
        entry = family.by_name.get(stack.pop())
        if isinstance(entry, Gates | Accumulator) and entry.name not in seen and entry.base == node.name:
            seen.add(entry.name)
            total += entry.size + sum(int(wires.matrix.nnz) for wires in entry.wires)
            stack += [wires.source for wires in entry.wires]
    return total


def check_frame(network: Network, family: Family, session: Session) -> None:
    """Compare alphabet, domain, readout and input formats."""
    start = time.perf_counter()
    readout = network.decided
    expected = {
        "alphabet": (network.alphabet, family.alphabet),
        "domain": (network.domain, family.domain),
        "readout": (readout, family.readout),
        "format of the decision": (network.word(readout.decision).format, family.decision_format),
        "fixed-size input": (network.inputs, family.inputs),
    }
    for name, (wanted, found) in expected.items():
        if wanted != found:
            session.trouble(f"the {name} differs: {found}, not {wanted}")
    sources = [node for node in network.nodes if isinstance(node, Letters | Inputs)]
    names = {name for source in sources for name in bit_names(source.name, source.format)}
    extra = [entry.name for entry in family.entries if isinstance(entry, InputBits) and entry.name not in names]
    for name in extra:
        session.trouble(f"`{name}` is an input that the network does not have")
    if not session.open:
        session.add(
            "alphabet, domain, readout and formats are the network's",
            "structure",
            len(expected),
            time.perf_counter() - start,
        )


def check_entries(family: Family, session: Session, node: Node) -> None:
    """Require the entries of a node: kind, size and number of positions."""
    kinds: dict[str, type] = {}
    if isinstance(node, Exact):
        kinds[node.name] = Accumulator
    else:
        kind: type = (
            PredicateBits
            if isinstance(node, Predicates)
            else InputBits
            if isinstance(node, Letters | Inputs)
            else Gates
        )
        if node.format != BIT:
            kinds[node.name] = Accumulator
        kinds.update((name, kind) for name in bit_names(node.name, node.format))
    for name, kind in kinds.items():
        entry = family.by_name.get(name)
        if entry is None:
            session.trouble(f"`{name}`: there is no such entry")
        elif not isinstance(entry, kind):
            session.trouble(f"`{name}`: the entry is {type(entry).__name__}, not {kind.__name__}")
        elif (entry.size, entry.n_positions) != (node.size, node.n_positions):
            found = f"{entry.size} elements at {entry.n_positions} positions"
            session.trouble(f"`{name}`: the entry has {found}, the node {node.size} at {node.n_positions}")
        elif isinstance(entry, InputBits) and entry.base != node.name:
            session.trouble(f"`{name}`: the input belongs to `{entry.base}`")


def prove_node(reader: Reader, session: Session, node: Node) -> None:
    """Prove the contract of a node from those of its sources."""
    match node:
        case Letters() | Inputs():
            session.add(f"`{node.name}` is the input", "structure", node.size, 0.0)
        case Predicates():
            prove_predicates(reader, session, node)
        case Affine():
            prove_sum(reader, session, node, affine_form(reader, node))
        case Sum():
            wanted = reader.value(node.operand, identity(node.size), reader.guard(node.guard, node.n_positions))
            prove_sum(reader, session, node, wanted)
        case Product():
            prove_product(reader, session, node)
        case Round() | Table():
            prove_search(reader, session, node)
        case Quotient():
            prove_quotient(reader, session, node)
        case Maximum():
            prove_maximum(reader, session, node)
        case Function():
            raise Unfit("the function is not written out")
        case _:
            assert_never(node)
    if not isinstance(node, Exact) and node.format != BIT:
        prove_value(reader, session, node)


def prove_predicates(reader: Reader, session: Session, node: Predicates) -> None:
    """Compare guards."""
    start = time.perf_counter()
    entry = reader.entry(node.name)
    found = entry.guards if isinstance(entry, PredicateBits) else ()
    for element, (wanted, given) in enumerate(zip(node.guards, found, strict=True)):
        if reader.guard(wanted, node.n_positions) != reader.guard(given, node.n_positions):
            session.trouble_at(node.name, element, f"the guard is {given}, not {wanted}")
            return
    session.add(f"`{node.name}`: {node.size} guards are equal", "structure", node.size, time.perf_counter() - start)


def affine_form(reader: Reader, node: Affine) -> Form:
    """What an affine node adds."""
    result = Form(node.size)
    for operand in node.operands:
        for key, weights in reader.value(operand.ref, operand.matrix).parts.items():
            result.add(key, weights)
    result.add((ONE, (), None), column(node.const))
    result.add((ONE, (), TRUE), column(node.length))
    return result


def prove_value(reader: Reader, session: Session, node: Node) -> None:
    """Prove that the accumulator of a word adds its smallest code and its bits: the code."""
    if isinstance(node, Exact):
        return
    wanted = reader.value_of_bits(node, own_variables(node.n_positions), identity(node.size))
    prove_sum(reader, session, node, wanted)


def prove_sum(reader: Reader, session: Session, node: Node, wanted: Form) -> None:
    """Compare the linear form of a node's accumulator with another one."""
    start = time.perf_counter()
    found = reader.form(node.name)
    agree = True
    for key, difference in differing(found, wanted):
        agree = False
        rows, columns = difference.tocoo().coords
        element, read = int(rows[0]), int(columns[0])
        what = f"the weight of {reader.describe(key, read)} is off by {difference.tocoo().data[0]}"
        session.trouble_at(node.name, element, what)
    if agree:
        weights = sum(weights.nnz for weights in wanted.parts.values())
        statement = f"`{node.name}`: {node.size} sums with {weights} coefficients are those of the network"
        session.add(statement, "coefficients", node.size, time.perf_counter() - start)
