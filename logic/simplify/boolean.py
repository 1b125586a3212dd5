"""Laws of propositional logic.

Conjunction and disjunction are dual: one rule serves both, with the truth value that is neutral for it.
"""

from __future__ import annotations

from logic.simplify.rules import Facts, Law, opposite
from logic.syntax import FALSE, TRUE, And, Compare, Exists, Forall, Formula, Iff, Implies, Not, Or, Truth

MOST_PARTS = 64

Connective = And | Or


def neutral(node: Connective) -> Truth:
    """The truth value that changes nothing: true in a conjunction, false in a disjunction."""
    return TRUE if isinstance(node, And) else FALSE


def absorbing(node: Connective) -> Truth:
    """The truth value that decides everything."""
    return FALSE if isinstance(node, And) else TRUE


def dual(node: Connective) -> type[Connective]:
    """The other connective."""
    return Or if isinstance(node, And) else And


def joined(kind: type[Connective], parts: list[Formula]) -> Formula:
    """Any number of parts under a connective."""
    if len(parts) > 1:
        return kind(tuple(parts))
    return parts[0] if parts else TRUE if kind is And else FALSE


def flatten(node: Connective, _: Facts) -> Formula | None:
    kind = type(node)
    inner = [part for part in node.parts if isinstance(part, kind)]
    if not inner or len(node.parts) + sum(len(part.parts) for part in inner) > MOST_PARTS:
        return None
    return kind(tuple([one for part in node.parts for one in (part.parts if isinstance(part, kind) else (part,))]))


def identity(node: Connective, _: Facts) -> Formula | None:
    kept = [part for part in node.parts if part is not neutral(node)]
    return joined(type(node), kept) if len(kept) < len(node.parts) else None


def annihilation(node: Connective, _: Facts) -> Formula | None:
    return absorbing(node) if absorbing(node) in node.parts else None


def idempotence(node: Connective, _: Facts) -> Formula | None:
    kept = list(dict.fromkeys(node.parts))
    return joined(type(node), kept) if len(kept) < len(node.parts) else None


def complement(node: Connective, _: Facts) -> Formula | None:
    parts = set(node.parts)
    return absorbing(node) if any(opposite(part) in parts for part in node.parts) else None


def absorption(node: Connective, _: Facts) -> Formula | None:
    other, parts = dual(node), set(node.parts)
    kept = [
        part
        for part in node.parts
        if not (isinstance(part, other) and any(inner in parts for inner in part.parts))
    ]  # fmt: skip
    return joined(type(node), kept) if len(kept) < len(node.parts) else None


def cancellation(node: Connective, _: Facts) -> Formula | None:
    other, parts = dual(node), set(node.parts)
    changed = False
    kept: list[Formula] = []
    for part in node.parts:
        if isinstance(part, other):
            left = [inner for inner in part.parts if opposite(inner) not in parts]
            if len(left) < len(part.parts):
                part, changed = joined(other, left), True
        kept.append(part)
    return joined(type(node), kept) if changed else None


def detachment(node: And, _: Facts) -> Formula | None:
    parts = set(node.parts)
    kept = [part.right if isinstance(part, Implies) and part.left in parts else part for part in node.parts]
    return joined(And, kept) if tuple(kept) != node.parts else None


def common_part(node: Connective, _: Facts) -> Formula | None:
    other = dual(node)
    inner = [set(part.parts) for part in node.parts if isinstance(part, other)]
    if len(inner) < len(node.parts):
        return None
    common = set.intersection(*inner)
    if not common:
        return None
    rest = [[one for one in part.parts if one not in common] for part in node.parts if isinstance(part, other)]
    if sum(len(parts) > 1 for parts in rest) + 1 >= len(rest):
        return None
    first = node.parts[0]
    shared = [one for one in first.parts if one in common] if isinstance(first, And | Or) else []
    return joined(other, [*shared, joined(type(node), [joined(other, parts) for parts in rest])])


def double_negation(node: Not, _: Facts) -> Formula | None:
    return node.body.body if isinstance(node.body, Not) else None


def negated_constant(node: Not, _: Facts) -> Formula | None:
    return Truth(not node.body.value) if isinstance(node.body, Truth) else None


def negated_order(node: Not, _: Facts) -> Formula | None:
    return opposite(node.body) if isinstance(node.body, Compare) and node.body.op != "=" else None


def negated_implication(node: Not, _: Facts) -> Formula | None:
    match node.body:
        case Implies(left, Not(right)):
            return And((left, right))
    return None


def negated_quantifier(node: Not, _: Facts) -> Formula | None:
    match node.body:
        case Forall(x, Not(body)):
            return Exists(x, body)
        case Exists(x, Not(body)):
            return Forall(x, body)
    return None


def de_morgan(node: Not, _: Facts) -> Formula | None:
    body = node.body
    if not isinstance(body, And | Or) or 2 * sum(isinstance(part, Not) for part in body.parts) < len(body.parts):
        return None
    return dual(body)(tuple([opposite(part) for part in body.parts]))


def joint_negation(node: Connective, _: Facts) -> Formula | None:
    if not all(isinstance(part, Not) for part in node.parts):
        return None
    return Not(dual(node)(tuple([opposite(part) for part in node.parts])))


def implication(node: Implies, _: Facts) -> Formula | None:
    match node.left, node.right:
        case (Truth(False), _) | (_, Truth(True)):
            return TRUE
        case Truth(True), right:
            return right
        case left, Truth(False):
            return opposite(left)
    return None


def self_implication(node: Implies, _: Facts) -> Formula | None:
    if node.left is node.right:
        return TRUE
    return node.right if opposite(node.left) is node.right else None


def implication_of_negation(node: Implies, _: Facts) -> Formula | None:
    return Or((node.left.body, node.right)) if isinstance(node.left, Not) else None


def equivalence(node: Iff, _: Facts) -> Formula | None:
    match node.left, node.right:
        case (Truth(value), phi) | (phi, Truth(value)):
            return phi if value else opposite(phi)
    return None


def self_equivalence(node: Iff, _: Facts) -> Formula | None:
    if node.left is node.right:
        return TRUE
    return FALSE if opposite(node.left) is node.right else None


def equivalence_of_negations(node: Iff, _: Facts) -> Formula | None:
    match node.left, node.right:
        case Not(left), Not(right):
            return Iff(left, right)
    return None


BOTH = (And, Or)
LAWS = (
    Law("flatten", "(p & q) & r ≡ p & q & r;  (p | q) | r ≡ p | q | r", BOTH, flatten,
        (("(p & q) & r", "p & q & r"), ("p | (q | r)", "p | q | r")), f"up to {MOST_PARTS} parts"),
    Law("annihilation", "p & false ≡ false;  p | true ≡ true", BOTH, annihilation,
        (("p & false", "false"), ("p | true | q", "true"))),
    Law("identity", "p & true ≡ p;  p | false ≡ p", BOTH, identity,
        (("p & true & q", "p & q"), ("p | false", "p"), ("true & true", "true"))),
    Law("idempotence", "p & p ≡ p;  p | p ≡ p", BOTH, idempotence, (("p & q & p", "p & q"), ("p | p", "p"))),
    Law("complement", "p & ~p ≡ false;  p | ~p ≡ true", BOTH, complement,
        (("p & q & ~p", "false"), ("~q | p | q", "true"), ("x <= 3 & 3 < x", "false"))),
    Law("absorption", "p & (p | q) ≡ p;  p | p & q ≡ p", BOTH, absorption,
        (("p & (q | p) & r", "p & r"), ("p | q & p", "p"))),
    Law("cancellation", "p & (~p | q) ≡ p & q;  p | ~p & q ≡ p | q", BOTH, cancellation,
        (("p & (~p | q)", "p & q"), ("~p | p & q & r", "~p | q & r"))),
    Law("detachment", "p & (p -> q) ≡ p & q", (And,), detachment, (("p & (p -> q)", "p & q"),)),
    Law("common part", "(p | q) & (p | r) ≡ p | q & r;  p & q | p & r ≡ p & (q | r)", BOTH, common_part,
        (("(p | q) & (r | p)", "p | q & r"), ("p & q | p & r", "p & (q | r)")),
        "all parts have one in common, and this shortens"),
    Law("double negation", "~~p ≡ p", (Not,), double_negation, (("~~p", "p"),)),
    Law("negated constant", "~true ≡ false;  ~false ≡ true", (Not,), negated_constant,
        (("~true", "false"), ("~false", "true"))),
    Law("negated order", "~(x < y) ≡ y <= x;  ~(x <= y) ≡ y < x", (Not,), negated_order,
        (("~(x < y + 1)", "y + 1 <= x"), ("~(n <= 3)", "3 < n"))),
    Law("negated implication", "~(p -> ~q) ≡ p & q", (Not,), negated_implication, (("~(p -> ~q)", "p & q"),)),
    Law("negated quantifier", "~(forall x. ~a(x)) ≡ exists x. a(x);  ~(exists x. ~a(x)) ≡ forall x. a(x)", (Not,),
        negated_quantifier,
        (("~(forall x. ~a(x))", "exists x. a(x)"), ("~(exists x. ~a(x))", "forall x. a(x)"))),
    Law("De Morgan", "~(~p & q) ≡ p | ~q;  ~(~p | q) ≡ p & ~q", (Not,), de_morgan,
        (("~(~p & ~q)", "p | q"), ("~(~p | q)", "p & ~q")), "at least half of the parts are negations"),
    Law("joint negation", "~p & ~q ≡ ~(p | q);  ~p | ~q ≡ ~(p & q)", BOTH, joint_negation,
        (("~p & ~q", "~(p | q)"), ("~p | ~q | ~r", "~(p & q & r)")), "all parts are negations"),
    Law("implication of constants", "true -> p ≡ p;  false -> p ≡ true;  p -> true ≡ true;  p -> false ≡ ~p", (Implies,),
        implication, (("true -> p", "p"), ("false -> p", "true"), ("p -> true", "true"), ("p -> false", "~p"))),
    Law("implication of itself", "p -> p ≡ true;  ~p -> p ≡ p;  p -> ~p ≡ ~p", (Implies,), self_implication,
        (("p -> p", "true"), ("~p -> p", "p"), ("p -> ~p", "~p"))),
    Law("implication of a negation", "~p -> q ≡ p | q", (Implies,), implication_of_negation, (("~p -> q", "p | q"),)),
    Law("equivalence with constants", "(p <-> true) ≡ p;  (p <-> false) ≡ ~p", (Iff,), equivalence,
        (("p <-> true", "p"), ("false <-> p", "~p"))),
    Law("equivalence with itself", "(p <-> p) ≡ true;  (p <-> ~p) ≡ false", (Iff,), self_equivalence,
        (("p <-> p", "true"), ("p <-> ~p", "false"), ("~p <-> p", "false"))),
    Law("equivalence of negations", "(~p <-> ~q) ≡ (p <-> q)", (Iff,), equivalence_of_negations,
        (("~p <-> ~q", "p <-> q"),)),
)  # fmt: skip
