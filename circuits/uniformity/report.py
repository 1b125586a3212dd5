"""All checks of one family that need no logic: U1 to U5."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from circuits.circuit import instantiate
from circuits.family import Family
from circuits.sizes import Polynomial, size_polynomials
from circuits.uniformity.checks import Check, bounded_operations, finite_kinds, lengths_text
from circuits.uniformity.comparing import Compared, compare_circuit, compare_gates
from circuits.uniformity.description import Description
from circuits.uniformity.programs import node

FAR = (17, 31, 32, 33, 63, 64, 1000, 4096)
HUGE = (1 << 20, 1 << 40)
MOST_WIRES = 2_000_000
MOST_GATES = 400_000
MOST_IDS = 1 << 20
SAMPLED_GATES = 12


@dataclass(frozen=True)
class Report:
    """The checks, in order."""

    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Tell whether all checks hold."""
        return all(check.holds for check in self.checks)


def report(
    family: Family,
    description: Description,
    most_n: int = 16,
    most_wires: int = MOST_WIRES,
    seed: int = 0,
    progress: Callable[[str], None] = lambda message: None,
) -> Report:
    """Check a description against its family.

    Args:
        most_n: up to which length circuits are written out and compared.
        most_wires: how many wires are compared in all; longer circuits are compared at random gates.
    """
    rng = random.Random(seed)
    lengths = [1] if family.inputs else [n for n in range(1, most_n + 1) if family.domain.admits(n)]
    far = [] if family.inputs else [n for n in FAR if n > most_n and family.domain.admits(n)]
    progress("counting operations")
    operations = bounded_operations(description, sorted({*range(1, 65), *FAR, *HUGE}), seed)
    sizes = size_polynomials(family)
    compared: list[Compared] = []
    depths: dict[int, int] = {}
    gates: dict[int, int] = {}
    wires_left, gates_left = most_wires, MOST_GATES
    sampled: list[Compared] = []
    for n in [*lengths, *far]:
        wires = count_wires(family, sizes["wires"], n)
        short = n <= most_n and wires <= wires_left
        if short or (n <= most_n and family.gates(n) <= gates_left):
            progress(f"writing out the circuit for n = {n}")
            circuit = instantiate(family, n)
            depths[n], gates[n] = circuit.depth, circuit.n_gates
            gates_left -= circuit.n_gates
            if short:
                wires_left -= wires
                compared.append(compare_circuit(family, description, circuit, rng))
        if not short:
            progress(f"comparing gates at n = {n}")
            chosen = rng.choices(family.templates, k=SAMPLED_GATES) if sampled else family.templates
            sampled.append(compare_gates(family, description, n, chosen, rng))
    observed = [seen for each in (*compared, *sampled) for seen in each.observed]
    return Report(
        (
            operations,
            finite_kinds(description, observed),
            constant_depth(family, depths, compared),
            polynomial_sizes(family, description, sizes, gates, compared),
            same_graph(compared, sampled, most_wires),
        )
    )


def count_wires(family: Family, polynomial: Polynomial | None, n: int) -> int:
    """The number of wires at a length."""
    return int(polynomial(n)) if polynomial is not None else family.wires(n)


def constant_depth(family: Family, depths: dict[int, int], compared: Sequence[Compared]) -> Check:
    """U3: no circuit is deeper than the family, found from its wires; at short lengths some wires may lead nowhere."""
    deeper = next((n for n, depth in depths.items() if depth > family.depth), None)
    paths = {each.n: each.path for each in compared if each.path is not None}
    longer = next((n for n, path in paths.items() if path > family.depth), None)
    figures: dict[str, int | str] = {"depth": family.depth}
    equal = [n for n, depth in depths.items() if depth == family.depth]
    figures["reached"] = "at all of them" if len(equal) == len(depths) else f"at {lengths_text(equal)}"
    if paths:
        figures["longest path of gates"] = ", ".join(f"{path}" for path in sorted(set(paths.values())))
    text = ""
    if deeper is not None:
        text = f"n = {deeper}: the circuit has depth {depths[deeper]}, the family {family.depth}"
    elif longer is not None:
        text = f"n = {longer}: a path of {paths[longer]} gates, the family has depth {family.depth}"
    scope = (
        f"circuits written out at {lengths_text(depths)}" if depths else "no circuit is small enough to be written out"
    )
    return Check("U3", "the depth is a constant: no circuit is deeper than the family", not text, figures, scope, text)


def polynomial_sizes(
    family: Family,
    description: Description,
    sizes: dict[str, Polynomial | None],
    gates: dict[int, int],
    compared: Sequence[Compared],
) -> Check:
    """U4: the numbers of gates and wires are the stated polynomials; `node` accepts as many ids of each kind as it has nodes."""
    wrong = ""
    figures: dict[str, int | str] = {}
    counted = {"gates": gates, "wires": {each.n: each.wires for each in compared}}
    for name, polynomial in sizes.items():
        figures[name] = str(polynomial) if polynomial is not None else "no single polynomial, at most (fan-in) * gates"
        for n, found in counted[name].items():
            expected = family.wires(n) if name == "wires" else family.gates(n)
            if (found != expected or (polynomial is not None and polynomial(n) != found)) and not wrong:
                wrong = f"n = {n}: {found:,} {name}, expected {expected if polynomial is None else polynomial(n)}"
    asked: list[int] = []
    ids = 0
    least = 1 if family.inputs else family.domain.least
    for n in range(least, least + 16):
        total = 1 << description.layout.width(n)
        if ids + total > MOST_IDS or (family.inputs and n > 1):
            break
        ids += total
        asked.append(n)
        wrong = wrong or wrong_count(description, n, total)
    figures["ids asked"] = ids
    scope = f"gates at {lengths_text(gates)}; wires at {lengths_text(counted['wires'])}"
    if asked:
        scope += f"; all {ids:,} ids at {lengths_text(asked)}"
    return Check("U4", "the sizes are polynomials in n", not wrong, figures, scope, wrong)


def wrong_count(description: Description, n: int, total: int) -> str:
    """Ask `node` for every id of a length and count the nodes of every kind."""
    import numpy as np

    kinds = np.asarray(node(description, n, np.arange(total, dtype=np.int64)))
    counts = np.bincount(kinds + 1, minlength=len(description.kinds) + 1)[1:]
    for kind, count in zip(description.kinds, counts.tolist(), strict=True):
        if count != kind.size * n**kind.n_positions:
            return (
                f"n = {n}: node knows {count:,} nodes of `{kind.name}`, there are {kind.size * n**kind.n_positions:,}"
            )
    return ""


def same_graph(compared: Sequence[Compared], sampled: Sequence[Compared], most_wires: int) -> Check:
    """U5: the graph of the programs is the circuit, wire for wire, and decides the same."""
    wrong = next((each.difference for each in (*compared, *sampled) if each.difference), "")
    figures: dict[str, int | str] = {
        "wires compared": sum(each.wires for each in compared),
        "gates compared": sum(each.gates for each in compared),
        "pairs asked": sum(each.pairs for each in compared),
        "inputs simulated": sum(each.inputs for each in compared),
        "random gates": sum(each.gates for each in sampled),
        "their wires": sum(each.wires for each in sampled),
    }
    left_out = sum(each.left_out for each in sampled)
    if left_out:
        figures["left out, with too many wires"] = left_out
    scope = []
    if compared:
        scope.append(f"every wire, weight and threshold at {lengths_text(each.n for each in compared)}")
    every = [each.n for each in compared if each.every_pair]
    if every:
        scope.append(f"every pair of nodes at {lengths_text(every)}")
    if sampled:
        scope.append(f"a random gate of each template at n = {sampled[0].n:,}")
    if len(sampled) > 1:
        scope.append(f"random gates at {lengths_text(each.n for each in sampled[1:])}")
    if sampled:
        scope.append(f"at most {most_wires:,} wires are written out")
    return Check("U5", "the graph of node and edge is the circuit", not wrong, figures, "; ".join(scope), wrong)
