"""The readout in fixed precision: comparisons of exact logits, or one rounded word.

Nothing is rounded where that can be avoided: logits over one common positive denominator (mean pooling) are compared by their
numerators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from circuits.floats import Codebook
from circuits.formats import BIT
from circuits.matrices import canonical, matrix, selection
from circuits.network import Affine, Exact, Operand, Readout, Round, Table
from circuits.positions import Ref, var
from translator import real
from translator.fixing_floats import put_rounded
from translator.fixing_quotients import changes_sign

if TYPE_CHECKING:
    from translator.fixing import Fixer


def add_readout(fixer: Fixer, output: real.Output) -> Readout:
    """Append the decision: comparisons of exact logits, or one rounded word."""
    own = tuple(var(v) for v in range(output.n_positions))
    scores, denominator = numerator(fixer, output.ref, output.n_positions)
    size, k = output.n_classes, output.n_positions
    if output.kind == "value":
        if output.ref.node in fixer.bounds and denominator is None:
            decision = fixer.fresh("decision")
            codes = fixer.precision.codes_for(*fixer.bounds[output.ref.node], fixer.frac(scores))
            if isinstance(codes, Codebook):
                put_rounded(fixer, decision, k, Ref(scores, own), codes)
            else:
                fixer.put(Round(decision, k, size, Ref(scores, own), fixer.frac(scores) - codes.frac, codes))
        else:
            decision = fixer.word(output.ref).node
        return Readout("value", decision, scores, denominator, 0, k)
    one = np.array([0, 1], dtype=np.int64)
    if output.kind == "logit":
        positive = Table(fixer.fresh("positive"), k, 1, Ref(scores, own), np.array([1], dtype=np.int64), one, BIT)
        return Readout("logit", fixer.put(positive).name, scores, denominator, 2, k)
    pairs = [(c, other) for c in range(size) for other in range(size) if other != c]
    rows = np.arange(len(pairs))
    winner, loser = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    difference = canonical(selection(winner, size) - selection(loser, size))
    ties = -(loser < winner).astype(np.int64)
    zero = np.zeros(len(pairs), dtype=np.int64)
    lead = fixer.put(
        Affine(fixer.fresh("lead"), k, len(pairs), (Operand(Ref(scores, own), difference),), ties, zero, 0)
    )
    zero_break = np.array([0], dtype=np.int64)
    if size == 2:
        decided = Table(fixer.fresh("class"), k, 2, Ref(lead.name, own), zero_break, one, BIT)
    else:
        beats = fixer.put(Table(fixer.fresh("beats"), k, len(pairs), Ref(lead.name, own), zero_break, one, BIT))
        collect = matrix(winner, rows, 1, (size, len(pairs)))
        none = np.zeros(size, dtype=np.int64)
        won = (Operand(Ref(beats.name, own), collect),)
        wins = fixer.put(Affine(fixer.fresh("wins"), k, size, won, none, none, 0))
        all_won = np.array([size - 1], dtype=np.int64)
        decided = Table(fixer.fresh("class"), k, size, Ref(wins.name, own), all_won, one, BIT)
    return Readout("classes", fixer.put(decided).name, scores, denominator, size, k)


def numerator(fixer: Fixer, ref: Ref, n_positions: int) -> tuple[str, str | None]:
    """Logits as an exact node over the readout's positions, and the common denominator if there is one.

    A last linear map of quotients by one denominator becomes that map of the numerators, its constant times the
    denominator; otherwise the map is read as it is.
    """
    own = tuple(var(v) for v in range(n_positions))
    node = fixer.network.node(ref.node)
    if isinstance(node, real.Linear) and not node.length.any():
        ratios = [fixer.network.node(operand.ref.node) for operand in node.operands]
        common = {(r.den, o.ref.at) for r, o in zip(ratios, node.operands, strict=True) if isinstance(r, real.Ratio)}
        single = all(isinstance(r, real.Ratio) and is_common(fixer, r) for r in ratios)
        if single and len(common) == 1 and ref.at == own:
            (den, at), chosen = common.pop(), int(ratios[0].den_index[0])  # type: ignore[union-attr]
            return push_through(fixer, node, ratios, den.substitute(at), chosen)
    if isinstance(node, real.Ratio) and ref.at == own and is_common(fixer, node):
        direct = real.Linear(
            f"{node.name}.num",
            node.n_positions,
            node.size,
            (real.Operand(Ref(node.name, own), np.eye(node.size)),),  # type: ignore[arg-type]
            np.zeros(node.size),
            np.zeros(node.size),
        )
        return push_through(fixer, direct, [node], node.den, int(node.den_index[0]))
    exact = fixer.exact(ref)
    found = fixer.by_name[exact.node]
    if isinstance(found, Exact) and exact.at == own:
        return exact.node, None
    identity = selection(np.arange(found.size), found.size)
    zero = np.zeros(found.size, dtype=np.int64)
    name = fixer.fresh("logits")
    operand = Operand(exact, identity)
    return fixer.put(Affine(name, n_positions, found.size, (operand,), zero, zero, fixer.frac(exact.node))).name, None


def is_common(fixer: Fixer, node: real.Ratio) -> bool:
    """Tell whether all quotients have one denominator, and that a positive one."""
    return len(set(node.den_index.tolist())) == 1 and not changes_sign(fixer, node.den)


def push_through(fixer: Fixer, node: real.Linear, ratios: list[Any], den: Ref, den_element: int) -> tuple[str, str]:
    """``W (N / D) + b`` as numerators ``W N + b D`` over D."""
    den = fixer.exact(den)
    den_size = fixer.by_name[den.node].size
    operands = [
        real.Operand(ratio.num.substitute(operand.ref.at), csr_array(operand.matrix))
        for ratio, operand in zip(ratios, node.operands, strict=True)
    ]
    column = np.zeros((node.size, den_size))
    column[:, den_element] = node.const
    if node.const.any():
        operands.append(real.Operand(den, csr_array(column)))
    zero = np.zeros(node.size)
    top = real.Linear(fixer.fresh(f"{node.name}.scaled"), node.n_positions, node.size, tuple(operands), zero, zero)
    fixer.add_linear(top)
    pick = real.Linear(
        fixer.fresh(f"{node.name}.den"),
        node.n_positions,
        1,
        (real.Operand(den, csr_array(np.eye(den_size)[[den_element]])),),
        np.zeros(1),
        np.zeros(1),
    )
    fixer.add_linear(pick)
    return top.name, pick.name
