"""The templates of a family under construction: each made once, named at the end, the unread ones left out.

A template has one element. Its own variables are those of the form it is made of, in increasing order, unless they are given.
A template of gates that needs a multiple of n reads it from a shared sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.diagnostics import fail
from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits, Wires
from circuits.matrices import Matrix, matrix
from circuits.positions import TRUE, Equals, Guard, Term, conjunction, guard_terms, substitute, var, variables_of
from logic.counting_forms import Form, Key, Literal, Read, Renaming, free_variables

MOST_TOTAL = 1 << 40
MOST_VARIABLES = 16


@dataclass(frozen=True, slots=True)
class Bundle:
    """Wires from one source at the same places: the weights of its elements."""

    source: int
    at: tuple[Term, ...]
    guard: Guard | None
    weights: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A sum of wires; as gates it fires iff the sum is at least 0."""

    n_positions: int
    bundles: tuple[Bundle, ...]
    length: int
    const: int
    is_gate: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on positions."""

    n_positions: int
    guard: Guard


Node = InputBits | Template | Condition


class Templates:
    """Templates by number, in topological order."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.numbers: dict[Node, int] = {}
        self.names: dict[int, str] = {}
        self.summing: set[int] = set()
        self.matrices: dict[tuple[tuple[tuple[int, int], ...], int], Matrix] = {}

    def input(self, entry: InputBits) -> int:
        """Add an entry of input bits."""
        self.nodes.append(entry)
        return len(self.nodes) - 1

    def number(self, node: Template | Condition, name: str) -> int:
        """The number of a template, which is new under a name unless there is the same one already."""
        if node not in self.numbers:
            self.numbers[node] = len(self.nodes)
            self.names[len(self.nodes)] = name
            self.nodes.append(node)
        return self.numbers[node]

    def condition(self, guard: Guard, name: str) -> Literal:
        """A condition on positions, to be read as a bit."""
        own = sorted(variables_of(guard_terms(guard)))
        local = substitute(guard, Renaming({v: var(place) for place, v in enumerate(own)}))
        return Literal(Read(self.number(Condition(len(own), local), name), 0, tuple(map(var, own))))

    def gate(self, form: Form, name: str, own: Sequence[int] | None = None) -> Read:
        """Gates that fire iff the form is at least 0."""
        variables = own_variables(form) if own is None else list(own)
        bundles = self.bundles(form, variables, name)
        k, at = len(variables), tuple(map(var, variables))
        if form.length:
            total = Template(k, bundles, form.length, 0, False)
            source = self.number(total, f"{name}.sum")
            bundles = (Bundle(source, tuple(map(var, range(k))), None, ((0, 1),)),)
        return Read(self.number(Template(k, bundles, 0, form.const, True), name), 0, at)

    def sum(self, form: Form, name: str, own: Sequence[int]) -> int:
        """A shared sum at every value of its own variables."""
        bundles = self.bundles(form, own, name)
        number = self.number(Template(len(own), bundles, form.length, form.const, False), name)
        if any(bundle.guard is not None or bundle.source in self.summing for bundle in bundles):
            self.summing.add(number)
        return number

    def opposite(self, number: int, name: str) -> int:
        """Gates that fire where those of a template do not."""
        node = self.nodes[number]
        if not isinstance(node, Template):
            raise TypeError("only gates have an opposite")
        bundles = tuple(
            Bundle(b.source, b.at, b.guard, tuple((element, -weight) for element, weight in b.weights))
            for b in node.bundles
        )
        return self.number(Template(node.n_positions, bundles, 0, -node.const - 1, True), name)

    def bundles(self, form: Form, own: Sequence[int], name: str) -> tuple[Bundle, ...]:
        """The wires of a form, those with the same source and places together.

        Raises:
            FomError: too many variables, numbers beyond what simulation adds exactly, or a count of pairs of positions.
        """
        if len(own) >= MOST_VARIABLES:
            raise fail("L061", f"a formula with {len(own)} free variables: a template has fewer than {MOST_VARIABLES}",
                       help="quantify or define parts of it apart")  # fmt: skip
        total = abs(form.const) + abs(form.length) + sum(map(abs, form.terms.values()))
        if total >= MOST_TOTAL:
            raise fail("L062", f"the weights of a sum add up to {total:.3g}, and a gate adds less than 2^40",
                       where=f"`{name}`", help="use smaller coefficients")  # fmt: skip
        found: dict[tuple[int, tuple[Term, ...], Guard | None], dict[int, int]] = {}
        for key, coef in form.terms.items():
            place = {v: var(index) for index, v in enumerate(own)}
            read, guard = self.wire(key, place, len(own), name)
            weights = found.setdefault((read.source, read.at, guard), {})
            weights[read.element] = weights.get(read.element, 0) + coef
        return tuple(Bundle(*key, tuple(sorted(weights.items()))) for key, weights in found.items())

    def wire(self, key: Key, own: dict[int, Term], k: int, name: str) -> tuple[Read, Guard | None]:
        """The read and the guard of a term, over the variables of its template and one bound variable."""
        bound, guard, read = key
        if bound > 1:
            raise fail("L063", f"pairs of positions are counted, of which there are up to n^{bound}", where=f"`{name}`",
                       note="a gate is wired to one position, or to all positions, of what it reads",
                       help="count one variable, and quantify or define what depends on the other")  # fmt: skip
        at = Renaming(own | ({0: var(k)} if bound else {}))
        moved = substitute(guard, at)
        if read is not None:
            read = read.substitute(at)
            if not bound and guard != TRUE:  # one wire, from the bound position 1
                moved = conjunction(Equals(var(k) - 1), moved)
            return read, moved if bound or guard != TRUE else None
        if bound:
            return Read(self.number(Condition(1, TRUE), "position"), 0, (var(k),)), moved
        return self.condition(moved, f"{name}.where").read, None

    def rename(self, number: int, name: str, scope: str) -> None:
        """Give a template of gates that was made under a name of the scope a better name."""
        if self.names.get(number, "").startswith(f"{scope}."):
            self.names[number] = name

    # The result.

    def entries(self, wanted: Iterable[int], taken: Iterable[str]) -> tuple[tuple[Entry, ...], dict[int, str]]:
        """The inputs and what the wanted templates read, directly or not, and the names of these.

        Args:
            taken: names that no element may have.
        """
        kept, used, names = self.reachable(wanted), set(taken), dict[int, str]()
        for number in kept:
            node = self.nodes[number]
            if isinstance(node, InputBits):
                name = node.name
            else:
                name, times = self.names[number], 1
                while name in used or f"{name}[0]" in used:
                    times += 1
                    name = f"{self.names[number]}.v{times}"
            used.add(name)
            names[number] = name
        return tuple([self.entry(self.nodes[number], names[number], names) for number in kept]), names

    def reachable(self, wanted: Iterable[int]) -> list[int]:
        """The numbers of the inputs and of what is read."""
        needed = {number for number, node in enumerate(self.nodes) if isinstance(node, InputBits)} | set(wanted)
        for number in reversed(range(len(self.nodes))):
            node = self.nodes[number]
            if number in needed and isinstance(node, Template):
                needed.update(bundle.source for bundle in node.bundles)
        return sorted(needed)

    def entry(self, node: Node, name: str, names: dict[int, str]) -> Entry:
        """A node as an entry of a family."""
        if isinstance(node, InputBits):
            return node
        if isinstance(node, Condition):
            return PredicateBits(name, name, node.n_positions, (node.guard,))
        wires = tuple([self.wires(bundle, names[bundle.source]) for bundle in node.bundles])
        const, length = np.array([node.const]), np.array([node.length])
        if node.is_gate:
            return Gates(name, name, node.n_positions, wires, -const)
        return Accumulator(name, name, node.n_positions, wires, const, length)

    def wires(self, bundle: Bundle, source: str) -> Wires:
        """The wires of a bundle."""
        node = self.nodes[bundle.source]
        size = node.size if isinstance(node, InputBits) else 1
        key = bundle.weights, size
        if key not in self.matrices:
            elements, weights = zip(*bundle.weights, strict=True)
            self.matrices[key] = matrix([0] * len(elements), elements, weights, (1, size))
        return Wires(source, bundle.at, self.matrices[key], bundle.guard)


def own_variables(form: Form) -> list[int]:
    """The free variables of a form, in order."""
    return sorted({variable for key in form.terms for variable in free_variables(key)})
