"""Laws of quantifiers, at every length: a word may be empty, unless a variable is free and has a position there."""

from __future__ import annotations

from logic.parts import conjuncts, disjuncts
from logic.simplify.boolean import joined
from logic.simplify.ranges import inside, least_length
from logic.simplify.rules import Facts, Law, opposite
from logic.simplify.substitution import substitute
from logic.syntax import (
    FALSE,
    TRUE,
    And,
    Compare,
    Count,
    Exists,
    Forall,
    Formula,
    Implies,
    Indicator,
    Majority,
    Or,
    Sum,
    Term,
    Truth,
    all_of,
    any_of,
)

NOT_EMPTY = Compare("<=", Term((), 0, 1), Term((), 1, 0))
EMPTY = Compare("<=", Term((), 1, 0), Term())

Quantifier = Forall | Exists | Majority


def constant_body(node: Quantifier, _: Facts) -> Formula | None:
    match node.body:
        case Truth(value):
            if isinstance(node, Exists):
                return NOT_EMPTY if value else FALSE
            return TRUE if value else EMPTY
    return None


def unused_variable(node: Quantifier, _: Facts) -> Formula | None:
    body = node.body
    if node.variable in body.free or isinstance(body, Truth):
        return None
    if least_length(body.free):
        return body
    return And((body, NOT_EMPTY)) if isinstance(node, Exists) else Or((body, EMPTY))


def parts_outside(node: Forall | Exists, _: Facts) -> Formula | None:
    """Move the parts without the variable out, if one part with it is left, so that nothing becomes longer."""
    body, x = node.body, node.variable
    if not isinstance(body, And | Or):
        return None
    kept = [part for part in body.parts if x in part.free]
    if len(kept) != 1:
        return None
    free = {name for part in body.parts for name in part.free} - {x}
    if isinstance(body, Or) == isinstance(node, Exists) and not free:
        return None
    moved = [type(node)(x, part) if x in part.free else part for part in body.parts]
    return joined(type(body), moved)


def solved(part: Formula, x: str) -> Term | None:
    """The term that a variable equals, if a formula says so."""
    if not isinstance(part, Compare) or part.op != "=":
        return None
    difference = part.left - part.right
    coef = dict(difference.coefs).get(x, 0)
    if abs(coef) != 1:
        return None
    return Term.make({name: c for name, c in (difference * -coef).coefs if name != x},
                     difference.n * -coef, difference.const * -coef)  # fmt: skip


def at_one_point(x: str, condition: Formula) -> tuple[list[Formula], Term] | None:
    """The conjuncts of a condition but for the first that gives x a value, and that value."""
    parts = [part if positive else opposite(part) for part, positive in conjuncts(condition)]
    for place, part in enumerate(parts):
        term = solved(part, x)
        if term is not None:
            return parts[:place] + parts[place + 1 :], term
    return None


def placed(phi: Formula, x: str, term: Term) -> Formula:
    """A formula with a term for a variable."""
    result = substitute(phi, {x: term})
    if not isinstance(result, Formula):
        raise TypeError("a substitution keeps the kind of a node")
    return result


def one_point(node: Forall | Exists, _: Facts) -> Formula | None:
    x, body = node.variable, node.body
    if isinstance(node, Exists):
        found = at_one_point(x, body)
        return None if found is None else all_of([*inside(found[1]), placed(all_of(found[0]), x, found[1])])
    if isinstance(body, Implies):
        found = at_one_point(x, body.left)
        rest = None if found is None else Implies(all_of(found[0]), body.right) if found[0] else body.right
    else:
        parts = [part if positive else opposite(part) for part, positive in disjuncts(body)]
        found = at_one_point(x, all_of([opposite(part) for part in parts]))
        rest = None if found is None else any_of([opposite(part) for part in found[0]])
    if found is None or rest is None:
        return None
    guard, there = inside(found[1]), placed(rest, x, found[1])
    return Implies(all_of(guard), there) if guard else there


def count_at_one_point(item: Count) -> Sum | None:
    """``#y[y = t & p(y)]`` as a sum of one indicator."""
    found = at_one_point(item.variable, item.condition)
    if found is None:
        return None
    return Sum(((1, Indicator(all_of([*inside(found[1]), placed(all_of(found[0]), item.variable, found[1])]))),))


ALL = (Forall, Exists, Majority)
LAWS = (
    Law("quantifier over a constant",
        "forall x. true ≡ true;  exists x. false ≡ false;  M x. true ≡ true;  exists x. true ≡ 1 <= n;"
        "  forall x. false ≡ n <= 0;  M x. false ≡ n <= 0", ALL, constant_body,
        (("forall x. true", "true"), ("exists x. false", "false"), ("M x. true", "true"), ("exists x. true", "1 <= n"),
         ("forall x. false", "n <= 0"), ("M x. false", "n <= 0"))),
    Law("unused variable",
        "exists x. p ≡ p & 1 <= n;  forall x. p ≡ p | n <= 0;  M x. p ≡ p | n <= 0;  exists x. a(y) ≡ a(y)", ALL,
        unused_variable,
        (("exists x. p", "p & 1 <= n"), ("forall x. p", "p | n <= 0"), ("M x. p", "p | n <= 0"),
         ("exists x. a(y)", "a(y)"), ("forall x. a(y)", "a(y)"), ("M x. a(y)", "a(y)"))),
    Law("part without the variable",
        "exists x. p & a(x) ≡ p & exists x. a(x);  forall x. p | a(x) ≡ p | forall x. a(x);"
        "  forall x. b(y) & a(x) ≡ b(y) & forall x. a(x)", (Forall, Exists), parts_outside,
        (("exists x. p & a(x)", "p & (exists x. a(x))"), ("forall x. a(x) | p", "(forall x. a(x)) | p"),
         ("forall x. b(y) & a(x)", "b(y) & (forall x. a(x))"), ("exists x. a(x) | b(y)", "(exists x. a(x)) | b(y)")),
        "one part has the variable; with the other connective another variable is free, so that n >= 1"),
    Law("one point",
        "exists y. y = t & a(y) ≡ 1 <= t & t <= n & a(t);  forall y. y = t -> a(y) ≡ 1 <= t & t <= n -> a(t)",
        (Exists, Forall), one_point,
        (("exists y. y = x & a(y)", "a(x)"), ("exists y. a(y) & x = y + 1", "1 <= x - 1 & a(x - 1)"),
         ("forall y. y = x -> a(y)", "a(x)"), ("forall y. a(y) | ~(y = x + 1)", "x + 1 <= n -> a(x + 1)"),
         ("exists y. y = x", "true")),
        "comparisons that always hold are left out"),
)  # fmt: skip
