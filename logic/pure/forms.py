"""Counting terms as integer combinations of formulas and of numbers 0..n, and the atoms that compare them.

A term is flattened: an item of a sum inside a sum becomes an item of the outer one. A count of a weighted sum of formulas is
a weighted sum of counts, either of each formula or, if these are fewer, of the bits of the inner sum. A defined sum that is
called is flattened too, or added up once into its bits, whichever leaves less to add.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from circuits.diagnostics import fail
from logic.pure import adders, thermometers
from logic.pure.adders import Columns, Number, signed_digits
from logic.pure.connectives import conj, neg
from logic.pure.store import Store
from logic.pure.substitution import atom_at, term_at
from logic.pure.thermometers import Thermometer
from logic.syntax import FALSE, TRUE, Call, Count, Formula, Indicator, Linear, Sum, SumCall, Term, Truth, var


@dataclass(slots=True)
class Form:
    """The sum of `coef` times formulas and numbers, of ``length * n``, and of `const`."""

    bits: Counter[Formula] = field(default_factory=Counter)
    numbers: Counter[Thermometer] = field(default_factory=Counter)
    length: int = 0
    const: int = 0

    def add(self, other: Form, factor: int) -> None:
        """Add a multiple of another form."""
        for phi, coef in other.bits.items():
            self.bits[phi] += factor * coef
        for number, coef in other.numbers.items():
            self.numbers[number] += factor * coef
        self.length += factor * other.length
        self.const += factor * other.const

    def cost(self, factor: int = 1) -> int:
        """How many summands of a power of two a multiple of this form has."""
        coefs = [*self.bits.values(), *self.numbers.values()]
        return sum(len(signed_digits(factor * coef)) for coef in coefs)

    def largest(self) -> int:
        """A bound of the part without n, and of the coefficients of n, in absolute value."""
        return sum(map(abs, [*self.bits.values(), *self.numbers.values()]))


class Forms:
    """The forms of the sums of one sentence, whose formulas are rewritten already (`formulas`)."""

    def __init__(self, store: Store, formulas: Mapping[Formula, Formula]) -> None:
        self.store = store
        self.formulas = formulas
        self.params: dict[str, tuple[str, ...]] = {}
        self.sums: dict[str, Form] = {}
        self.added: dict[str, Form] = {}

    def define(self, name: str, params: tuple[str, ...], total: Sum) -> None:
        """Note a defined sum."""
        self.params[name], self.sums[name] = params, self.form(total)

    def form(self, total: Sum) -> Form:
        """Flatten a counting term."""
        result = Form(length=total.length, const=total.const)
        for coef, item in total.items:
            match item:
                case Indicator(phi):
                    result.add(self._indicator(self.formulas[phi]), coef)
                case Count():
                    result.add(self._count(item), coef)
                case SumCall():
                    result.add(self._called(item, coef), coef)
        return result

    def _indicator(self, phi: Formula) -> Form:
        if phi is TRUE or phi is FALSE:
            return Form(const=int(phi is TRUE))
        return Form(Counter({self.store.named("bit", phi): 1}))

    def _count(self, item: Count) -> Form:
        """The sum of a form over the positions with a condition."""
        condition, inner = self.formulas[item.condition], self.form(item.weight)
        result = Form()
        if condition is FALSE:
            return result
        if any(inner.numbers.values()) or inner.length:
            raise fail("L063", "a sum over positions adds up counts or multiples of n, so it grows like a power of n",
                       where=f"`{self.store.base}`", note="a pure sentence has numbers up to a multiple of n",
                       help="count one variable, and quantify or define what depends on the other")  # fmt: skip
        weights = {phi: coef for phi, coef in inner.bits.items() if coef}
        constant = inner.const
        if len(weights) > inner.largest().bit_length():
            columns = Columns(self.store)
            constant -= add_bits(columns, weights)
            bits = columns.total(columns.width).bits
            constant += sum(1 << place for place, bit in enumerate(bits) if bit is TRUE)
            weights = {bit: 1 << place for place, bit in enumerate(bits) if not isinstance(bit, Truth)}
        for phi, coef in weights.items():
            result.numbers[thermometers.counted(self.store, item.variable, conj(condition, phi))] += coef
        if constant:
            result.numbers[thermometers.counted(self.store, item.variable, condition)] += constant
        return result

    def _called(self, item: SumCall, coef: int) -> Form:
        """The form of a defined sum, read at arguments."""
        params, form = self.params[item.name], self.sums[item.name]
        width = form.largest().bit_length() + len(form.numbers)
        if form.cost(coef) > len(signed_digits(coef)) * width:
            if item.name not in self.added:
                self.added[item.name] = self._add_up(item.name, form)
            form = self.added[item.name]
        if all(arg.variable is not None for arg in item.args):
            at = dict(zip(params, item.args, strict=True))
            return self._instance(form, at)
        return self._instance_anywhere(form, params, item.args)

    def _add_up(self, name: str, form: Form) -> Form:
        """The same form with its formulas and numbers added up: one formula for each bit, and at most two numbers."""
        outer, self.store.base = self.store.base, name
        left, right, rest = self._sides(form, length=False)
        width = max(left.width, right.width)
        result = Form(length=form.length, const=rest)
        for sign, columns in ((1, left), (-1, right)):
            total = columns.total(width)
            for place, bit in enumerate(total.bits):
                result.add(self._indicator(bit), sign << place)
            if total.high is not None:
                result.numbers[total.high] += sign << width
        self.store.base = outer
        return result

    @staticmethod
    def _instance(form: Form, at: Mapping[str, Term]) -> Form:
        """A form at positions of the word: free variables are replaced."""
        result = Form(length=form.length, const=form.const)
        for phi, coef in form.bits.items():
            result.bits[atom_at(phi, at)] += coef
        for number, coef in form.numbers.items():
            args = tuple(term_at(arg, at) for arg in number.args)
            result.numbers[Thermometer(number.name, args)] += coef
        return result

    def _instance_anywhere(self, form: Form, params: tuple[str, ...], args: tuple[Term, ...]) -> Form:
        """A form at index terms: 0 if one of them is outside of the word, as relations are false there."""
        store, result = self.store, Form()
        (p,) = store.fresh(params)
        if form.const:
            result.bits[Call(store.define("inside", params, TRUE, name=f"inside{len(params)}").name, args)] += (
                form.const
            )
        for phi, coef in form.bits.items():
            result.bits[Call(store.define("bit", params, phi).name, args)] += coef
        numbers = [*form.numbers.items(), *([(thermometers.length(store), form.length)] if form.length else [])]
        for number, coef in numbers:
            read = store.define("number", (p, *params), number.reaches(var(p)))
            result.numbers[Thermometer(read.name, args)] += coef
        return result

    def _sides(self, form: Form, length: bool = True) -> tuple[Columns, Columns, int]:
        """Columns whose difference, plus the integer returned, is the form."""
        left, right = Columns(self.store), Columns(self.store)
        rest = form.const - add_bits(left, form.bits)
        numbers = list(form.numbers.items())
        if length and form.length:
            numbers.append((thermometers.length(self.store), form.length))
        for number, coef in numbers:
            if coef:
                (left if coef > 0 else right).add_number(number, abs(coef))
        return left, right, rest

    def atom(self, phi: Linear) -> Formula:
        """A linear counting atom as a pure formula."""
        form = self.form(phi.sum)
        form.const -= phi.bound
        left, right, rest = self._sides(form)
        (left if rest > 0 else right).add_const(abs(rest))
        width = max(left.width, right.width)
        return adders.at_least(self.store, _padded(left.total(width), width), _padded(right.total(width), width))


def add_bits(columns: Columns, weights: Mapping[Formula, int]) -> int:
    """Add formulas with weights of any sign; return the constant by which the columns have more than that.

    The weight is a sum of signed powers of two, and ``-2^i [phi]`` is ``2^i [~phi] - 2^i``.
    """
    more = 0
    for phi, coef in weights.items():
        for sign, place in signed_digits(coef):
            columns.add_bit(phi if sign > 0 else neg(phi), place)
            more += (1 << place) if sign < 0 else 0
    return more


def _padded(number: Number, width: int) -> Number:
    return Number(number.bits + (FALSE,) * (width - len(number.bits)), number.high)
