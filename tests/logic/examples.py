"""Sentences shared by the tests of printers, parsers, evaluators and solvers, and random ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from logic.syntax import (
    And,
    Bit,
    Call,
    Compare,
    Count,
    Definition,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Indicator,
    Item,
    Letter,
    Linear,
    Majority,
    Not,
    Or,
    Sentence,
    Sum,
    SumCall,
    Term,
    Truth,
)


@dataclass(frozen=True)
class Language:
    """A sentence, its alphabet in the order used, and what it should accept."""

    name: str
    text: str
    letters: str
    contains: Callable[[str], bool]


def _dyck(word: str, opening: str = "o", closing: str = "c") -> bool:
    height = 0
    for letter in word:
        height += (letter == opening) - (letter == closing)
        if height < 0:
            return False
    return height == 0


def _dyck_2(word: str) -> bool:
    stack: list[str] = []
    for letter in word:
        if letter in "([":
            stack.append(letter)
        elif not stack or stack.pop() + letter not in ("()", "[]"):
            return False
    return not stack


_HEIGHTS = """
sum up(x) := #y[y <= x & ('('(y) | '['(y))] - #y[y <= x & (')'(y) | ']'(y))];
let match(i, j) := i < j & ('('(i) | '['(i)) & (')'(j) | ']'(j)) & up(i) - up(j) = 1
  & forall k. i <= k & k < j -> up(k) >= up(i);
(forall x. up(x) >= 0) & #x['('(x)] + #x['['(x)] = #x[')'(x)] + #x[']'(x)]
& forall i, j. match(i, j) -> ('('(i) <-> ')'(j))
"""

LANGUAGES = [
    Language("majority", "M i.b(i)", "ab", lambda w: 2 * w.count("b") >= len(w)),
    Language("strict majority", "~M i. ~b(i)", "ab", lambda w: 2 * w.count("b") > len(w)),
    Language(
        "a^m b^m",
        "(M i.a(i)) & (M j.b(j)) & ~exists k, l. a(k) & b(l) & l < k",
        "ab",
        lambda w: w == "a" * (len(w) // 2) + "b" * (len(w) // 2),
    ),
    Language(
        "a^m b^m c^m",
        "#i[a(i)] >= #i[b(i)] & #i[b(i)] >= #i[c(i)] & #i[c(i)] >= #i[a(i)]"
        " & ~exists k, l. k < l & (b(k) & a(l) | c(k) & ~c(l))",
        "abc",
        lambda w: w == "".join(letter * (len(w) // 3) for letter in "abc"),
    ),
    Language("parity", "exists k. #i[b(i)] = k & bit(k, 1)", "ab", lambda w: w.count("b") % 2 == 1),
    Language("first", "b(1)", "ab", lambda w: w.startswith("b")),
    Language("last", "b(n)", "ab", lambda w: w.endswith("b")),
    Language("bigram ab", "exists i. a(i) & b(i + 1)", "ab", lambda w: "ab" in w),
    Language(
        "(ab)*",
        "n = 0 | a(1) & b(n) & forall i. i = n | (a(i) <-> b(i + 1))",
        "ab",
        lambda w: w == "ab" * (len(w) // 2),
    ),
    Language(
        "Dyck-1",
        "(forall i. #j[j <= i & o(j)] >= #j[j <= i & c(j)]) & (M i. o(i)) & (M i. c(i))",
        "oc",
        _dyck,
    ),
    Language("Dyck-2", _HEIGHTS, "()[]", _dyck_2),
    Language(
        "shuffle Dyck-2",
        "(forall i. #j[j <= i & o(j)] >= #j[j <= i & c(j)] & #j[j <= i & p(j)] >= #j[j <= i & d(j)])"
        " & #j[o(j)] = #j[c(j)] & #j[p(j)] = #j[d(j)]",
        "ocpd",
        lambda w: _dyck(w) and _dyck(w, "p", "d"),
    ),
    Language("palindrome", "forall i, j. i + j = n + 1 -> (a(i) <-> a(j))", "ab", lambda w: w == w[::-1]),
    Language(
        "ww",
        "n = 0 | exists m. m + m = n & forall i. i <= m -> (a(i) <-> a(i + m))",
        "ab",
        lambda w: len(w) % 2 == 0 and w[: len(w) // 2] == w[len(w) // 2 :],
    ),
    Language("even length", "n = 0 | exists m. 2*m = n", "a", lambda w: len(w) % 2 == 0),
    Language(
        "weighted count",
        "3*#i[a(i)] - 2*#i[b(i)] + [b(n)] - n >= 2",
        "ab",
        lambda w: 3 * w.count("a") - 2 * w.count("b") + w.endswith("b") - len(w) >= 2,
    ),
    Language(
        "sum of positions",
        "#x[a(x) : x] > #x[b(x) : x]",
        "ab",
        lambda w: sum((i + 1) * (1 if c == "a" else -1) for i, c in enumerate(w)) > 0,
    ),
    Language(
        "inversions", "#i, j[i < j & b(i) & a(j)] = n", "ab",
        lambda w: sum(w[i] == "b" and w[j] == "a" for j in range(len(w)) for i in range(j)) == len(w),
    ),
]  # fmt: skip

TAGGERS = [
    "a(x)",
    "#y[y <= x & a(y)] >= #y[y <= x & b(y)]",
    "a(x - 1) & ~b(x + 2)",
    "M y. y < x",
    "bit(n - x, 2) & a(1)",
]

EXAMPLES = [
    *(language.text for language in LANGUAGES),
    *TAGGERS,
    "true",
    "¬∀x. ∃y. x ≤ y ∧ a(y) ↔ ⊥ ∨ 1 ≠ n",
    "letters a, '(', ' ', '\\'', 'true';\npropositions s[0].1;\n-- two\n--\n-- lines\nlet p := s[0].1;\n"
    "sum h[3].2(x) := 2*[a(x)] - #y[y < x & p : 3*[' '(y)] + n - 1];\nexists x. h[3].2(x) >= 0 & '\\''(x) & 'true'(n - x)",
    "sum s() := 3;\nsum t(x, y) := s() + 2*s() - [x = y];\nexists x. t(x, x + 1) < t(1, x) & M y. t(y, y) != 4",
    "a(1) -> b(1) -> c(1) <-> (a(1) <-> b(1)) <-> ((a(1) -> b(1)) -> c(1))",
    "(a(1) & b(1)) & c(1) | (a(2) | b(2)) | ~(a(3) | b(3)) & ~~c(3)",
]


# Random sentences.

_LETTERS = ("a", "b", "(", "not", "x'\\\n")
_PROPOSITIONS = ("p.1", "q[0]")
_VARIABLES = st.sampled_from(["x", "y", "z", "x1"])
_small = st.integers(-3, 3)
Known = tuple[tuple[str, int, bool], ...]  # name, arity, whether it is a sum


@st.composite
def terms(draw: st.DrawFn, scope: tuple[str, ...]) -> Term:
    """Draw an index term over the variables in scope."""
    if len(scope) > 0 and draw(st.integers(0, 3)):
        return Term(((draw(st.sampled_from(scope)), 1),), 0, draw(st.sampled_from([0, 0, 0, 1, -1])))
    chosen: list[str] = draw(st.lists(st.sampled_from(scope), max_size=2)) if scope else []
    return Term.make({name: draw(_small) for name in chosen}, draw(st.integers(-1, 2)), draw(_small))


def _arguments(draw: st.DrawFn, scope: tuple[str, ...], arity: int) -> tuple[Term, ...]:
    return tuple(draw(terms(scope)) for _ in range(arity))


@st.composite
def formulas(draw: st.DrawFn, scope: tuple[str, ...], known: Known, depth: int) -> Formula:
    """Draw a formula whose free variables are in scope."""
    kind = draw(st.integers(0, 5 if depth == 0 else 16))
    relations = [(name, arity) for name, arity, is_sum in known if not is_sum]

    def below(variable: str | None = None) -> Formula:
        inner = scope if variable is None else tuple(dict.fromkeys((*scope, variable)))
        return draw(formulas(inner, known, depth - 1))

    match kind:
        case 0 | 1:
            return Letter(draw(st.sampled_from(_LETTERS)), draw(terms(scope)))
        case 2:
            return Compare(draw(st.sampled_from(["=", "<", "<="])), draw(terms(scope)), draw(terms(scope)))
        case 3:
            return Bit(draw(terms(scope)), draw(terms(scope)))
        case 4:
            return draw(st.sampled_from([Truth(True), Truth(False), Call("p.1"), Call("q[0]")]))
        case 5 if relations:
            name, arity = draw(st.sampled_from(relations))
            return Call(name, _arguments(draw, scope, arity))
        case 6 | 7:
            return Not(below())
        case 8:
            return And(tuple(below() for _ in range(draw(st.integers(2, 3)))))
        case 9:
            return Or(tuple(below() for _ in range(draw(st.integers(2, 3)))))
        case 10:
            return draw(st.sampled_from([Implies, Iff]))(below(), below())
        case 11 | 12 | 13:
            variable = draw(_VARIABLES)
            return draw(st.sampled_from([Forall, Exists, Majority, Majority]))(variable, below(variable))
        case 14 | 15 | 16:
            total = draw(sums(scope, known, depth - 1).filter(lambda total: bool(total.items)))
            return Linear(total, draw(_small))
        case _:
            return Letter("a", draw(terms(scope)))


@st.composite
def items(draw: st.DrawFn, scope: tuple[str, ...], known: Known, depth: int) -> Item:
    """Draw an indicator, a count or a defined sum."""
    defined = [(name, arity) for name, arity, is_sum in known if is_sum]
    if len(defined) > 0 and draw(st.booleans()):
        name, arity = draw(st.sampled_from(defined))
        return SumCall(name, _arguments(draw, scope, arity))
    if draw(st.booleans()):
        return Indicator(draw(formulas(scope, known, max(depth, 0))))
    variable = draw(_VARIABLES)
    inner = tuple(dict.fromkeys((*scope, variable)))
    condition = draw(formulas(inner, known, max(depth, 0)))
    if depth > 0 and draw(st.booleans()):
        return Count(variable, condition, draw(sums(inner, known, depth - 1)))
    return Count(variable, condition)


@st.composite
def sums(draw: st.DrawFn, scope: tuple[str, ...], known: Known, depth: int) -> Sum:
    """Draw a counting term."""
    made = [(draw(_small), draw(items(scope, known, depth))) for _ in range(draw(st.integers(0, 3)))]
    return Sum(tuple(made), draw(_small), draw(_small))


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    """Draw a checked sentence with a few definitions and at most one free variable."""
    known: Known = ()
    definitions = []
    for number in range(draw(st.integers(0, 3))):
        params = ("x", "y")[: draw(st.integers(0, 2))]
        is_sum = draw(st.booleans())
        body = draw(sums(params, known, 1)) if is_sum else draw(formulas(params, known, 2))
        comment = draw(st.sampled_from(["", "", "why", "one\n\n two ", "\n", "-- // ; x"]))
        definitions.append(Definition(f"d[{number}]", params, body, comment))
        known = (*known, (f"d[{number}]", len(params), is_sum))
    free = draw(st.sampled_from([(), (), ("x",)]))
    formula = draw(formulas(free, known, 3))
    sentence = Sentence(_LETTERS, _PROPOSITIONS, tuple(definitions), formula)
    sentence.check()
    return sentence
