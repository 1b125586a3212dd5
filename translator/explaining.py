"""What one element of a family stands for, in words: which bit of which word, which sum, which comparison."""

from __future__ import annotations

import re

from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits
from circuits.family import Family
from circuits.formats import BIT, Format
from circuits.network import (
    Affine,
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
from circuits.network_to_family import digits


def explain(network: Network, family: Family, entry: Entry, element: int) -> str:
    """Say what an element of an entry is, as far as the node it was built for tells."""
    node = network.by_name.get(entry.base)
    suffix = entry.name[len(entry.base) :].lstrip(".")
    if node is None:
        return "true at every position, false outside the word" if entry.base.startswith("present.") else ""
    if isinstance(entry, InputBits) and isinstance(node, Letters):
        return f"the letter {network.alphabet[element]} stands at the position"
    if isinstance(entry, PredicateBits):
        return "a condition on positions alone"
    if isinstance(entry, Accumulator) and not suffix:
        return value_text(network, node, element)
    if isinstance(node, Product) and suffix == "and":
        return and_text(network, node, element)
    if isinstance(node, Table | Function) and isinstance(entry, Gates) and suffix == "ge":
        at, least = element // (entry.size // node.size), int(entry.thresholds[element])
        return f"{source_text(node.operand.node, at)} is at least {scaled(least, network.frac(node.operand.node))}"
    if isinstance(entry, Gates | InputBits) and (not suffix or suffix.isdigit()):
        return bit_text(network, node, element, int(suffix or 0))
    return search_text(node, suffix, element, family.depth_choice)


def value_text(network: Network, node: Node, element: int) -> str:
    """The number that an accumulator with the name of a node is."""
    match node:
        case Affine(operands=operands, frac=frac):
            read = len([operand for operand in operands if operand.matrix[[element]].nnz])
            return f"exact sum at {bits_text(frac)}, of elements of {read} {'node' if read == 1 else 'nodes'}"
        case Product(left=left, right=right, frac=frac):
            one = source_text(left.node, int(node.left_index[element]))
            other = source_text(right.node, int(node.right_index[element]))
            return f"exact product of {one} and {other} at {bits_text(frac)}"
        case Sum(operand=operand, frac=frac):
            return f"exact sum over positions of {source_text(operand.node, element)} at {bits_text(frac)}"
        case _:
            return f"the code of word {source_text(node.name, element)}: {step_text(node.format)}"


def bit_text(network: Network, node: Node, element: int, bit: int) -> str:
    """One bit of a word, and where the word comes from."""
    word = source_text(node.name, element)
    match node:
        case Inputs(format=format_):
            return f"bit {bit} of input number {element}: {step_text(format_)}"
        case Round(operand=operand, format=format_):
            made = f"{source_text(operand.node, element)} rounded half to even"
        case Table(operand=operand, breaks=breaks, format=format_):
            if format_ == BIT and len(breaks) == 1:
                least = scaled(int(breaks[0]), network.frac(operand.node))
                return f"{word}: {source_text(operand.node, element)} is at least {least}"
            made = f"a table of {len(breaks) + 1:,} steps of {source_text(operand.node, element)}"
        case Function(operand=operand, format=format_):
            made = f"a function of {source_text(operand.node, element)}"
        case Quotient(num=num, den=den, format=format_):
            below = source_text(den.node, int(node.den_index[element]))
            made = f"{source_text(num.node, element)} / {below} rounded half to even"
        case Maximum(operand=operand, guard=guard, format=format_):
            made = f"the largest of {candidates_text(node, element)}" + (" over positions" if guard is not None else "")
        case _:
            return f"bit {bit} of {word}"
    return f"{which_bit(bit, format_)}word {word}, {made}: {step_text(format_)}"


def which_bit(bit: int, format_: Format) -> str:
    """Name a bit; a word of a single bit is its own bit."""
    return "" if format_ == BIT else f"bit {bit} of "


def and_text(network: Network, node: Product, element: int) -> str:
    """The AND of two bits in a product."""
    left, right = network.word(node.left.node), network.word(node.right.node)
    square = node.left == node.right and (node.left_index == node.right_index).all()
    pairs = [(i, j) for i in range(left.format.bits) for j in range(i + 1 if square else 0, right.format.bits)]
    at, number = divmod(element, len(pairs))
    i, j = pairs[number]
    one = source_text(left.name, int(node.left_index[at]))
    other = source_text(right.name, int(node.right_index[at]))
    return f"AND of bit {i} of {one} and bit {j} of {other}"


def search_text(node: Node, suffix: str, element: int, depth: str) -> str:
    """A comparison in the search for a word: of a digit, of a candidate for a maximum, or a bit times a denominator."""
    if isinstance(node, Letters | Inputs | Predicates | Affine | Product | Sum):
        return ""
    format_ = node.format
    if found := re.fullmatch(r"ge(\d+)", suffix):
        low = int(found[1])
        width = next((width for bit, width in digits(format_.bits, depth) if bit == low), 1)
        at, number = divmod(element, (1 << width) - 1)
        least = format_.lo + (number + 1 << low)
        above = "" if low + width == format_.bits else " plus what its higher bits say"
        return f"the code of {source_text(node.name, at)} is at least {least}{above}"
    if isinstance(node, Quotient):
        if found := re.fullmatch(r"den(\d+)", suffix):
            return f"bit {found[1]} of {source_text(node.name, element)} times its denominator"
        if found := re.fullmatch(r"den(\d+)\.and\d+", suffix):
            return f"AND of bit {found[1]} of an element of `{node.name}` and a bit that its denominator counts"
    if isinstance(node, Maximum) and (found := re.fullmatch(r"(.+)\.any(\d+)", suffix)):
        return f"a candidate for the largest value reaches what `{node.name}.{found[1]}` asks for"
    return ""


def candidates_text(node: Maximum, element: int) -> str:
    """The elements among which a maximum is taken."""
    read = [(node.operand.node, index) for index in node.groups[element].tolist()]
    read += [(ref.node, index) for ref, groups in node.segments for index in groups[element].tolist()]
    shown = ", ".join(source_text(name, index) for name, index in read[:4])
    return shown if len(read) <= 4 else f"{len(read)} words: {shown}, ..."


def source_text(name: str, element: int) -> str:
    """Name an element of a node."""
    return f"`{name}` element {element}"


def bits_text(frac: int) -> str:
    """Name a number of fractional bits."""
    return f"{frac} fractional bit{'' if frac == 1 else 's'}"


def step_text(format_: Format) -> str:
    """A format, and the number that one step of its codes is."""
    return f"{format_}, one step is 2^-{format_.frac}" if format_.frac else str(format_)


def scaled(number: int, frac: int) -> str:
    """A number of fractional bits as a reader knows it."""
    return f"{number / 2**frac:g}" if frac else str(number)
