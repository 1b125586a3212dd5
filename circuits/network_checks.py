"""Whether the parts of a network fit together: names, positions, sizes, indices, formats."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.diagnostics import Diagnostic
from circuits.network import (
    Affine,
    Exact,
    Function,
    Inputs,
    Integers,
    Letters,
    Maximum,
    Network,
    Node,
    Product,
    Quotient,
    Round,
    Sum,
    Table,
    guards_of,
    references,
)
from circuits.positions import Ref, guard_terms, is_safe, variables_of

MOST_SHIFT = 61


def defects(network: Network) -> list[Diagnostic]:
    """Every defect of a network."""
    found: list[Diagnostic] = []

    def require(condition: bool, name: str, message: str) -> None:
        if not condition:
            found.append(Diagnostic("C022", message, where=f"node `{name}`"))

    known: dict[str, Node] = {}
    for node in network.nodes:
        before = len(found)
        require(node.name not in known, node.name, "the name is used twice")
        require(node.size >= 1, node.name, "a node has at least one element")
        require(node.n_positions >= 0, node.name, "a node has no fewer than 0 positions")
        for guard, extra in guards_of(node):
            bound = variables_of(guard_terms(guard))
            require(all(0 <= v < node.n_positions + extra for v in bound), node.name, "a guard has an unbound position")
        for ref, extra in references(node):
            source = known.get(ref.node)
            require(source is not None, node.name, f"`{ref.node}` is not an earlier node")
            if source is None:
                continue
            require(len(ref.at) == source.n_positions, node.name, f"`{ref.node}` needs {source.n_positions} positions")
            limit = node.n_positions + extra
            bound = variables_of(ref.at)
            require(all(0 <= v < limit for v in bound), node.name, f"`{ref.node}` is read at an unbound position")
        if len(found) == before:
            check_shapes(node, known, network.domain.least, require)
        known[node.name] = node
    letters = [node for node in network.nodes if isinstance(node, Letters)]
    if len(letters) > 1 or bool(letters) == bool(network.inputs):
        message = f"this one reads {len(letters)} words and {len(network.inputs)} fixed-size inputs"
        found.append(Diagnostic("C022", f"a network reads one word or fixed-size inputs, {message}"))
    elif len(network.alphabet) != sum(node.size for node in letters):
        found.append(Diagnostic("C022", f"the alphabet of {len(network.alphabet)} letters does not fit the input"))
    if len(set(network.alphabet)) < len(network.alphabet):
        found.append(Diagnostic("C022", "a letter stands twice in the alphabet"))
    if network.domain.least < 1 or (network.domain.most is not None and network.domain.most < network.domain.least):
        found.append(Diagnostic("C022", "the least length is at least 1 and at most the largest", where="domain"))
    if network.readout is not None:
        found.extend(Diagnostic("C022", message, where="readout") for message in network.readout.defects(known))
    return found


def check_shapes(node: Node, known: dict[str, Node], least: int, require: Any) -> None:
    """Check sizes, indices and formats of one node against its sources."""

    def within(index: Integers, ref: Ref) -> bool:
        return not index.size or bool(0 <= index.min() and index.max() < known[ref.node].size)

    name = node.name
    match node:
        case Inputs(format=format_, codebook=codebook, scale=scale) if codebook is not None:
            require(scale is None, name, "an input with a codebook has no scale")
            require(codebook.frac == format_.frac, name, "the codebook has other fractional bits than the format")
            inside = format_.lo <= codebook.lo <= 0 < codebook.hi <= format_.hi
            require(inside, name, "a code of the codebook lies outside the format")
            ends = np.array([codebook.lo, codebook.hi], dtype=np.int64)
            require(bool(codebook.contains(ends).all()), name, "an end of the codebook is no code of it")
        case Affine(operands=operands, size=size, const=const, length=length):
            require(len(const) == size and len(length) == size, name, "constants do not fit the size")
            for operand in operands:
                fits = operand.matrix.shape == (size, known[operand.ref.node].size)
                require(fits, name, f"the weights of `{operand.ref.node}` do not fit")
        case Product(left=left, left_index=left_index, right=right, right_index=right_index):
            require(len(left_index) == len(right_index), name, "the index lists differ in length")
            require(within(left_index, left) and within(right_index, right), name, "an index is out of range")
            for ref in (left, right):
                require(not isinstance(known[ref.node], Exact), name, f"`{ref.node}` is not a word")
        case Sum(operand=operand, size=size) | Round(operand=operand, size=size):
            require(known[operand.node].size == size, name, f"`{operand.node}` has another size")
            if isinstance(node, Round):
                require(abs(node.shift) <= MOST_SHIFT, name, f"a shift has at most {MOST_SHIFT} bits")
        case Table(operand=operand, size=size, breaks=breaks, codes=codes, format=format_):
            require(known[operand.node].size == size, name, f"`{operand.node}` has another size")
            require(len(codes) == len(breaks) + 1, name, "a table has one code more than breaks")
            require(bool((np.diff(breaks) > 0).all()), name, "the breaks are not increasing")
            inside = len(codes) > 0 and format_.lo <= codes.min() and codes.max() <= format_.hi
            require(bool(inside), name, "a code lies outside the format")
        case Function(operand=operand, size=size, frac=frac):
            source = known[operand.node]
            require(source.size == size, name, f"`{operand.node}` has another size")
            given = source.frac if isinstance(source, Exact) else source.format.frac
            require(given == frac, name, f"`{operand.node}` has {given} fractional bits, not {frac}")
        case Quotient(num=num, den=den, den_index=den_index, size=size, shift=shift):
            require(abs(shift) <= MOST_SHIFT, name, f"a shift has at most {MOST_SHIFT} bits")
            require(known[num.node].size == size and len(den_index) == size, name, "sizes differ")
            require(within(den_index, den), name, "an index is out of range")
        case Maximum(operand=operand, groups=groups, segments=segments, size=size, format=format_):
            for ref, index in ((operand, groups), *segments):
                fits = index.ndim == 2 and index.shape[0] == size and index.shape[1] > 0
                require(fits, name, "groups do not fit the size")
                inside = all(is_safe(term, least) for term in ref.at) or format_.lo <= 0 <= format_.hi
                require(inside, name, f"`{ref.node}` is read outside the word, and 0 is no code of its format")
                require(within(index, ref), name, "an index is out of range")
                source = known[ref.node]
                same = not isinstance(source, Exact) and source.format == format_
                require(same, name, f"`{ref.node}` is not a word of the same format")
        case _:
            pass
