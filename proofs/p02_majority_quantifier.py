# %% [markdown]
# # Counting with majority alone
#
# First-order logic with majority, FO(M), has one quantifier that counts: `M x. φ` says that at least half of
# the positions satisfy φ. Sentences that are read off networks compare weighted sums of counts instead, such
# as `187*#x[a(x)] - 88*[b(1)] - n >= 4`. This script shows how M expresses them, proves each step for fixed
# lengths with a solver, and rewrites a sentence.
#
# It runs as a plain script, `python proofs/p02_majority_quantifier.py`.

# %%
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent if "__file__" in globals() else Path.cwd().parent
sys.path.insert(0, str(ROOT))

import z3

from logic import measure, parse, to_ascii
from logic.pure import derived, to_pure, violations
from logic.syntax import (
    And,
    Bit,
    Call,
    Compare,
    Exists,
    Forall,
    Iff,
    Implies,
    Letter,
    Majority,
    Not,
    Or,
    Truth,
    var,
)

X, K = var("x"), var("k")
A, B = Letter("a", X), Letter("b", X)
LENGTHS = range(6)

# %% [markdown]
# A formula is unfolded for one length: quantifiers become finite conjunctions and sums, and each letter at a
# position is a Boolean variable, so the solver decides about **all** words of that length.


# %%
def ground(phi, n, values, definitions=()):
    """A pure formula at length n as a formula of the solver; definitions are unfolded once for each argument."""
    bodies = {one.name: one for one in definitions}
    known = {}

    def holds(phi, v):
        key = phi, tuple(v[name] for name in sorted(phi.free))
        if key not in known:
            known[key] = unfolded(phi, v)
        return known[key]

    def unfolded(phi, v):
        match phi:
            case Truth(value):
                return z3.BoolVal(value)
            case Letter(name, t):
                place = t.evaluate(n, v)
                return z3.Bool(f"{name}{place}") if 1 <= place <= n else z3.BoolVal(False)
            case Call(name, args):
                places = tuple(t.evaluate(n, v) for t in args)
                if not all(1 <= place <= n for place in places):
                    return z3.BoolVal(False)
                return holds(bodies[name].body, dict(zip(bodies[name].params, places, strict=True)))
            case Compare(op, s, t):
                low, high = s.evaluate(n, v), t.evaluate(n, v)
                return z3.BoolVal({"=": low == high, "<": low < high, "<=": low <= high}[op])
            case Bit(t, i):
                number, place = t.evaluate(n, v), i.evaluate(n, v)
                return z3.BoolVal(number >= 0 and place >= 1 and bool(number >> (place - 1) & 1))
            case Not(body):
                return z3.Not(holds(body, v))
            case And(parts):
                return z3.And([holds(part, v) for part in parts])
            case Or(parts):
                return z3.Or([holds(part, v) for part in parts])
            case Implies(left, right):
                return z3.Implies(holds(left, v), holds(right, v))
            case Iff(left, right):
                return holds(left, v) == holds(right, v)
            case Forall(x, body):
                return z3.And([holds(body, {**v, x: place}) for place in range(1, n + 1)])
            case Exists(x, body):
                return z3.Or([holds(body, {**v, x: place}) for place in range(1, n + 1)])
            case Majority(x, body):
                inside = [(holds(body, {**v, x: place}), 1) for place in range(1, n + 1)]
                return z3.PbGe(inside, (n + 1) // 2) if inside else z3.BoolVal(True)
        raise TypeError(type(phi).__name__)

    return z3.simplify(holds(phi, values))


def number(name, first, last):
    """How many of the positions first..last have a letter."""
    return z3.Sum([z3.If(z3.Bool(f"{name}{place}"), 1, 0) for place in range(first, last + 1)])


def prove(what, claims):
    """Decide that every claim holds in every word; claims are pairs of a length and two formulas of the solver."""
    checked = 0
    for n, left, right in claims:
        solver = z3.SolverFor("QF_FD")
        solver.add(left != right)
        answer = solver.check()
        if answer != z3.unsat:
            print(f"{what}: {'refuted' if answer == z3.sat else 'unknown'} at n = {n}")
            return
        checked += 1
    print(f"{what}: {checked} claims hold")


# %% [markdown]
# ## 1. Halves
#
# M compares with half of n, and counts go up to n. So the word is split. In the lower half, let at least k of
# l = ⌊n/2⌋ positions satisfy φ; pad φ with n - l - k positions of the upper half, and M decides. The upper half is
# counted alike.

# %%
print(to_ascii(derived.lower_half(K, "x", A)))
print(to_ascii(derived.upper_half(K, "x", A)))


def indexed(phi, count):
    """The claims that phi says ``count(n) >= k``, for each k in 1..n."""
    return [(n, ground(phi, n, {"k": k}), count(n) >= k) for n in LENGTHS for k in range(1, n + 1)]


def sentence(phi, meaning):
    """The claims that phi has a meaning, for each n."""
    return [(n, ground(phi, n, {}), meaning(n)) for n in LENGTHS]


prove("lower half", indexed(derived.lower_half(K, "x", A), lambda n: number("a", 1, n // 2)))
prove("upper half", indexed(derived.upper_half(K, "x", A), lambda n: number("a", n // 2 + 1, n)))

# %% [markdown]
# ## 2. Counting quantifiers
#
# At least k positions satisfy φ if k of one half do, or j of the lower and k - j of the upper one. Everything else
# follows. A count of 0 has no position as its name, so nothing below names a count that may be 0.

# %%
prove("at least k", indexed(derived.at_least(K, "x", A), lambda n: number("a", 1, n)))
exact = derived.exactly(K, "x", A)
prove(
    "exactly k",
    [(n, ground(exact, n, {"k": k}), number("a", 1, n) == k) for n in LENGTHS for k in range(1, n + 1)],
)
prove(
    "at least as many (Rescher)",
    sentence(derived.at_least_as_many("x", A, B), lambda n: number("a", 1, n) >= number("b", 1, n)),
)
prove(
    "as many (Härtig)",
    sentence(derived.equal_counts("x", A, B), lambda n: number("a", 1, n) == number("b", 1, n)),
)


def both(n):
    """How many positions have both letters."""
    places = range(1, n + 1)
    return z3.Sum([z3.If(z3.And(z3.Bool(f"a{place}"), z3.Bool(f"b{place}")), 1, 0) for place in places])


prove(
    "conditional majority",
    sentence(
        derived.conditional_majority("x", A, B),
        lambda n: 2 * both(n) >= number("a", 1, n),
    ),
)
prove(
    "1 modulo 3",
    sentence(derived.congruent(1, 3, "x", A), lambda n: z3.Or([number("a", 1, n) == k for k in range(1, n + 1, 3)])),
)

# %% [markdown]
# Two forms of Merrill & Sabharwal 2023 are refuted as printed. Proposition 2 asks for k' with 2k' = k, where k is the
# number of φ: no odd k has one, and k = 0 is not a position. Example 4 says that two counts are equal by naming their
# number, which fails for 0.

# %%
half = var("p")
printed = Exists(
    "k",
    Exists(
        "p",
        And((Compare("=", half * 2, K), exact, derived.at_least(half, "x", And((A, B))))),
    ),
)
prove(
    "conditional majority as printed",
    sentence(printed, lambda n: 2 * both(n) >= number("a", 1, n)),
)
named = Exists("k", And((exact, derived.exactly(K, "x", B))))
prove(
    "equal counts by name, for n > 0",
    [claim for claim in sentence(named, lambda n: number("a", 1, n) == number("b", 1, n)) if claim[0]],
)

# %% [markdown]
# ## 3. Addition from bit
#
# With < and bit, x + y = z is definable by carry look-ahead, so + is not needed among the primitives.

# %%
addition = derived.plus(X, var("y"), var("z"))
print(to_ascii(addition))
prove(
    "x + y = z",
    [
        (n, ground(addition, n, {"x": x, "y": y, "z": z}), z3.BoolVal(x + y == z))
        for n in LENGTHS
        for x in range(1, n + 1)
        for y in range(1, n + 1)
        for z in range(1, n + 1)
    ],
)

# %% [markdown]
# ## 4. Weighted sums
#
# A number u in 0..n is a relation: u(p) says that u is at least p. Then 0 is the empty relation and no number lacks a
# name. Numbers and formulas with weights are added in columns, one for each power of two: two numbers of a column
# are their mean, one column higher, and the bit of their parity; bits are added by full adders. Here is a sentence with
# a large odd coefficient.

# %%
given = parse("letters a, b; 5*#x[a(x)] - 3*#x[b(x)] + 2*[a(1)] >= n + 1")
pure = to_pure(given)
print(pure)

# %%
least = to_pure(given, minimal=True)
for name, made in (("pure", pure), ("minimal", least)):
    sizes = measure(made)
    print(
        f"{name}: {sizes.definitions} definitions, {sizes.nodes} nodes, {sizes.unfolded_nodes:.1e} without sharing, "
        f"quantifier rank {sizes.quantifier_rank}, majority rank {sizes.majority_rank}"
    )
    assert not list(violations(made, minimal=name == "minimal"))


def value(n):
    """The sum that the sentence compares with 1, as a number of the solver."""
    first = z3.If(z3.Bool("a1"), 2, 0) if n else 0
    return 5 * number("a", 1, n) - 3 * number("b", 1, n) + first - n


for name, made in (("pure", pure), ("minimal", least)):
    claims = [(n, ground(made.formula, n, {}, made.definitions), value(n) >= 1) for n in range(5)]
    prove(f"{name} sentence", claims)
