"""The terms of a sum or of a comparison: their weights as integers and as real numbers, and in the ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuits.entries import Entry
from circuits.formats import BIT
from circuits.network import Affine, Exact, Letters, Network, Node, Round, Table
from logic.printer import write
from logic.syntax import Count, Definition, Indicator, Item, Letter, Linear, Sum, SumCall
from translator.terminal import Line, table_to_lines

if TYPE_CHECKING:
    from translator.showing import Shown

MOST_TERMS = 16


def fractional_bits(network: Network, entry: Entry) -> int | None:
    """How many fractional bits the sum of an entry's definition has, if the node tells."""
    node: Node | None = network.by_name.get(entry.base)
    if isinstance(node, Exact):
        return node.frac
    if isinstance(node, Round | Table) and entry.name != entry.base:
        return network.frac(node.operand.node)
    if isinstance(node, Table) and node.format == BIT:
        return network.frac(node.operand.node)
    return node.format.frac if isinstance(node, Round | Table) else None


def condition_text(shown: Shown, entry: Entry, definition: Definition) -> str:
    """When a gate is true, in real numbers."""
    body = definition.body
    frac = fractional_bits(shown.network, entry)
    if not isinstance(body, Linear) or frac is None:
        return ""
    bound = body.bound - body.sum.const
    length = f" (n counts {body.sum.length:+d})" if body.sum.length else ""
    real = f" = {real_text(bound, frac)}" if frac else ""
    return f"the exact sum of the terms below reaches {bound:,}{f' * 2^-{frac}' if frac else ''}{real}{length}"


def summand_lines(shown: Shown, entry: Entry, element: int, definition: Definition) -> list[Line]:
    """A table of the terms of a definition; nothing if it adds nothing up."""
    body = definition.body
    total = body if isinstance(body, Sum) else body.sum if isinstance(body, Linear) else None
    if total is None or not total.items:
        return []
    frac = fractional_bits(shown.network, entry)
    rows = []
    kept = total.items if shown.full else total.items[:MOST_TERMS]
    for coef, item in kept:
        rows.append((f"{coef:,}", weight_text(shown, coef, item, frac), write(item, shown.spelling, 20),
                     file_text(shown, entry, element, item)))  # fmt: skip
    if total.length:
        rows.append((f"{total.length:,}", real_text(total.length, frac), "n", ""))
    if total.const:
        tensor = shown.file_weights.maps.get((entry.base, "")) if entry.name == entry.base else None
        rows.append(
            (f"{total.const:,}", real_text(total.const, frac), "1", tensor.text(element, None) if tensor else "")
        )
    lines = table_to_lines(("weight", "real", "term", "in the file"), rows, right=(0, 1))
    left = len(total.items) - len(kept)
    return [*lines, [(f"... {left:,} more terms; --full shows all", "dim")]] if left else lines


def real_text(number: int, frac: int | None) -> str:
    """A number of fractional bits as a real number."""
    return "" if frac is None else f"{number / 2**frac:.6g}"


def weight_text(shown: Shown, coef: int, item: Item, frac: int | None) -> str:
    """What a weight is for the real number that its term stands for."""
    if frac is None:
        return ""
    inner = item
    if isinstance(item, Count) and len(item.weight.items) == 1:
        inner = item.weight.items[0][1]
    if not isinstance(inner, SumCall):
        return real_text(coef, frac)
    known = shown.element_of.get(inner.name)
    node = shown.network.by_name.get(known[0].base) if known else None
    return "" if node is None else real_text(coef, frac - shown.network.frac(node.name))


def file_text(shown: Shown, entry: Entry, element: int, item: Item) -> str:
    """The weight of a term in the ONNX file, where a tensor has the numbers of its map."""
    if entry.name != entry.base or not isinstance(shown.network.by_name.get(entry.base), Affine):
        return ""
    if isinstance(item, Indicator) and isinstance(item.formula, Letter):
        column = shown.sentence.letters.index(item.formula.name)
        source = next(node.name for node in shown.network.nodes if isinstance(node, Letters))
    elif isinstance(item, SumCall) and item.name in shown.element_of:
        read, column = shown.element_of[item.name]
        source = read.base
    else:
        return ""
    tensor = shown.file_weights.maps.get((entry.base, source))
    with_constant = ", with the constant" if isinstance(item, Indicator) else ""
    return tensor.text(element, column) + with_constant if tensor else ""
