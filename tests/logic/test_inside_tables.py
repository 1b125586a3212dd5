"""Units on the words of a table: exact forms, frequencies, what reaches the decision, and shares of written-out attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from circuits.evaluate import evaluate
from circuits.formats import BIT, Format
from circuits.matrices import Matrix, canonical
from circuits.network import (
    Affine,
    Domain,
    Letters,
    Maximum,
    Network,
    Operand,
    Product,
    Quotient,
    Readout,
    Round,
    Sum,
    Table,
)
from circuits.positions import TRUE as EVERY
from circuits.positions import AtLeast, Equals, Guard, Ref, Term, var
from circuits.words import all_words
from logic.searching.inside_heads import heads, patterns
from logic.searching.inside_maxima import largest_values, maxima
from logic.searching.inside_pairs import Pairs
from logic.searching.inside_reach import positions_of, reaching
from logic.searching.inside_shares import all_shares
from logic.searching.inside_tables import Numbers, explained, frequencies, groups, is_clipped_sum
from logic.searching.samples import Samples

X, Y = var(0), var(1)
SEVEN = np.arange(7)
NUMBERS = Numbers(("v1", "v2"), (SEVEN, SEVEN), 7)
A, B = NUMBERS.spread()
TABLE_OF = np.random.default_rng(5).permutation(7)


def only_group(row: Any) -> str:
    (found,) = groups(np.asarray(row, dtype=np.int64)[None], NUMBERS)
    assert found.units == (0,)
    return found.text


class TestUnits:
    @pytest.mark.parametrize(
        ("row", "text"),
        [
            (0 * A + 3, "constant"),
            (TABLE_OF[A], "a function of v1"),
            (TABLE_OF[B], "a function of v2"),
            (TABLE_OF[(A + B) % 7], "a function of (v1 + v2) mod 7"),
            (TABLE_OF[(A - B) % 7], "a function of (v1 - v2) mod 7"),
            (TABLE_OF[(2 * A + 6 * B) % 7], "a function of (v1 + 3*v2) mod 7"),
            (TABLE_OF[abs(A - B)], "a function of |v1 - v2|"),
            (TABLE_OF[np.maximum(A, B)], "a function of max(v1, v2)"),
            (TABLE_OF[A * B % 7], "a function of v1*v2 mod 7"),
            (np.random.default_rng(1).permutation(13)[A + B], "a function of v1 + v2"),
            (A**2 - 3 * TABLE_OF[B], "a sum f(v1) + g(v2)"),
            (np.maximum(0, A**2 - 5 * TABLE_OF[B]), "a sum f(v1) + g(v2) clipped at 0"),
            (2 * A**2 * B**2 + A + B, "a symmetric table of v1 and v2"),
            (TABLE_OF[A] * (B + 3), "a table of v1 and v2 of rank 1"),
            (A**2 * B + 5 * A * TABLE_OF[B], "a table of v1 and v2 of rank 2"),
        ],
    )
    def test_the_first_form_that_fits(self, row: Any, text: str) -> None:
        assert only_group(row) == text

    @pytest.mark.parametrize("cell", [0, 10, 24, 48])
    def test_one_cell_undoes_a_form(self, cell: int) -> None:
        row = TABLE_OF[(A + B) % 7].copy()
        row[cell] += 1
        assert "mod 7" not in only_group(row)

    def test_units_are_in_one_group_each(self) -> None:
        rows = np.random.default_rng(2).integers(0, 3, (20, 49))
        rows[3], rows[7], rows[11] = 5, A, A
        found = {group.text: group.units for group in groups(rows, NUMBERS)}
        assert found["constant"] == (3,)
        assert found["a function of v1"] == (7, 11)
        assert sorted(unit for units in found.values() for unit in units) == list(range(20))

    def test_a_modulus_that_is_no_prime(self) -> None:
        six = Numbers(("v1", "v2"), (np.arange(6), np.arange(6)), 6)
        a, b = six.spread()
        (found,) = groups((TABLE_OF[(2 * a + 3 * b) % 6])[None], six)
        assert found.text == "a function of (2*v1 + 3*v2) mod 6"

    def test_clipped_sums_against_all_small_ones(self) -> None:
        """All 3 x 3 tables of 0..2 whose f and g are searched among all values that can matter."""
        values = np.arange(-5, 6)
        f, g = (np.stack(np.meshgrid(*[values] * 2, indexing="ij"), axis=-1).reshape(-1, 2) for _ in range(2))
        sums = np.maximum(0, f[:, None, :, None] + g[None, :, None, :]).reshape(-1, 4)
        able = {tuple(row) for row in np.unique(sums, axis=0).tolist()}
        for number in range(3**4):
            grid = np.array([number // 3**place % 3 for place in range(4)]).reshape(2, 2)
            if grid.min() == 0:
                assert is_clipped_sum(grid) == (tuple(grid.reshape(-1).tolist()) in able), grid

    def test_frequencies_are_those_of_cosines(self) -> None:
        angle = 2 * np.pi / 7
        waves = np.round(1e6 * np.array([np.cos(3 * angle * A), np.sin(2 * angle * (A + B)), 0 * A]))
        rows = np.concatenate([waves, [waves[0] + 3 * waves[1]]]).astype(np.int64)
        found = frequencies(rows, NUMBERS)
        assert found is not None
        assert found.units.tolist() == [0, 1, 3]
        assert found.frequency.tolist() == [3, 2, 2]
        assert np.allclose(found.share, [1, 1, 0.9], atol=1e-3)

    def test_the_share_of_a_law(self) -> None:
        key = (A + B) % 7
        rows = np.array([TABLE_OF[key], TABLE_OF[A], 0 * A])
        assert explained(rows, key) == pytest.approx(0.5)


def matrix(rows: Any) -> Matrix:
    return canonical(np.array(rows))


def affine(name: str, positions: int, operands: list[tuple[Ref, Any]], const: list[int] | None = None) -> Affine:
    size = len(operands[0][1])
    zero = np.zeros(size, np.int64)
    made = tuple(Operand(ref, matrix(rows)) for ref, rows in operands)
    return Affine(name, positions, size, made, zero if const is None else np.array(const), zero, 0)


def at(place: int) -> Term:
    return Term((), 0, place)


WORD = Format(9, -256, 0)


def written_out() -> Network:
    """Attention of position 3 over three positions, written out: weights are 1, 2 and 3 times something; one unit is unused."""
    here = Ref("scores", ())
    nodes = (
        Letters("tokens", 3),
        affine("embedded", 0, [(Ref("tokens", (at(place),)), np.eye(9, 3, -3 * (place - 1), dtype=int)) for place in (1, 2, 3)]),
        affine("scores", 0, [(Ref("embedded", ()), [
            [0, 1, 2, 0, 0, 0, 1, 1, 0],
            [0, 0, 0, 0, 1, 2, 1, 1, 0], [0, 0, 0, 0, 0, 0, 1, 1, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0]])]),
        Round("scores.r", 0, 4, here, 0, WORD),
        Maximum("max", 0, 1, Ref("scores.r", ()), np.array([[0, 1, 2]]), None, (), WORD),
        affine("shifted", 0, [(Ref("scores.r", ()), [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]), (Ref("max", ()), [[-1]] * 3)]),
        Table("exp", 0, 3, Ref("shifted", ()), np.array([-1, 0]), np.array([1, 2, 4]), Format(3, 0, 0)),
        affine("total", 0, [(Ref("exp", ()), [[1, 1, 1]])]),
        Product("weighted", 0, Ref("exp", ()), np.arange(3), Ref("scores.r", ()), np.array([0, 1, 2]), 0),
        affine("top", 0, [(Ref("weighted", ()), [[1, 1, 1]])]),
        Quotient("head", 0, 1, Ref("top", ()), Ref("total", ()), np.zeros(1, np.int64), 4, WORD),
        affine("logits", 0, [(Ref("head", ()), [[1]])], [-17]),
        Table("class", 0, 1, Ref("logits", ()), np.array([1]), np.array([0, 1]), BIT),
    )  # fmt: skip
    return Network(nodes, Readout("logit", "class", "logits", None, 2, 0), Domain(3, 3), ("a", "b", "c"))


class TestReach:
    def test_what_reaches_the_decision(self) -> None:
        network = written_out()
        network.check()
        needed = reaching(network, 3)
        assert needed["scores.r"].tolist() == [True, True, True, False]
        assert needed["tokens"].all(axis=1).tolist() == [False, False, False]
        assert needed["tokens"][:, 1].tolist() == [True, True, True]

    def test_what_is_needed_is_all_that_matters(self) -> None:
        """Flipping a value that does not reach the decision changes nothing: the rows of matrices that read it can be dropped."""
        network = written_out()
        needed = reaching(network, 3)["embedded"]
        dropped = []
        for node in network.nodes:
            if isinstance(node, Affine):
                kept = tuple(
                    Operand(one.ref, canonical(one.matrix @ np.diag(needed.astype(int))))
                    if one.ref.node == "embedded"
                    else one
                    for one in node.operands
                )
                node = Affine(node.name, node.n_positions, node.size, kept, node.const, node.length, node.frac)
            dropped.append(node)
        other = Network(tuple(dropped), network.readout, network.domain, network.alphabet)
        words = np.concatenate(list(all_words(3, 3)))
        assert np.array_equal(evaluate(network, words)["class"], evaluate(other, words)["class"])

    def test_dependence_covers_what_changes(self) -> None:
        network = written_out()
        depends = positions_of(network, 3)
        words = np.concatenate(list(all_words(3, 3)))
        names = [node.name for node in network.nodes if node.n_positions == 0]
        values = evaluate(network, words, names)
        for place in range(3):
            changed = words.copy()
            changed[:, place] = (changed[:, place] + 1) % 3
            others = evaluate(network, changed, names)
            for name in names:
                differs = (values[name] != others[name]).any(axis=0)
                assert not (differs & ~depends[name][:, place]).any(), (name, place)

    def test_shares_of_written_out_attention(self) -> None:
        network = written_out()
        words = np.concatenate(list(all_words(3, 3)))
        (found,) = all_shares(network, words, reaching(network, 3), positions_of(network, 3))
        assert (found.name, found.query, found.node) == ("head", 3, "exp")
        assert found.keys == ("position 1", "position 2", "position 3")
        scores = np.stack([words[:, 0], words[:, 1], 0 * words[:, 0]], axis=1)
        weights = np.array([1, 2, 4])[np.clip(scores - scores.max(axis=1, keepdims=True), -2, 0) + 2]
        assert np.array_equal(found.values, weights / weights.sum(axis=1, keepdims=True))


def samples(letters: str, longest: int) -> Samples:
    words = tuple(np.concatenate(list(all_words(len(letters), n))) for n in range(1, longest + 1))
    seen = tuple(np.ones(batch.shape, dtype=bool) for batch in words)
    return Samples(tuple(letters), words, seen, seen)


class TestMaxima:
    def network(self, guard: Guard, positions: int) -> Network:
        """Values: element 0 is 1 at b, element 1 at a; the largest over y."""
        same = np.arange(2)
        nodes = (
            Letters("tokens", 2),
            affine("values", 1, [(Ref("tokens", (X,)), [[0, 1], [1, 0]])]),
            Round("values.r", 1, 2, Ref("values", (X,)), 0, WORD),
            Maximum("pooled", positions, 2, Ref("values.r", (var(positions),)), same[:, None], guard, (), WORD),
        )
        found = Network(nodes, None, Domain(), ("a", "b"))
        found.check()
        return found

    @pytest.mark.parametrize(
        ("guard", "positions", "several", "text"),
        [
            (EVERY, 0, 4, "takes the largest value of values.r over every position y"),
            (
                Equals(Term(((0, 1),), 0, -2)),
                0,
                1,
                "takes the largest value of values.r over the positions y with y = 2",
            ),
            (AtLeast(X - Y), 1, 4, "takes the largest value of values.r over the positions y with y <= x"),
        ],
    )
    def test_what_a_maximum_ranges_over(self, guard: Guard, positions: int, several: int, text: str) -> None:
        network = self.network(guard, positions)
        (first, *rest) = largest_values(network, Pairs(samples("ab", 4)))
        assert (first.name, first.text) == ("pooled", text)
        where = "has its largest value at the positions y with {}, wherever the values differ"
        found = [(one.name, one.text) for one in rest]
        assert found == (
            [] if several == 1 else [("pooled[0]", where.format("b(y)")), ("pooled[1]", where.format("a(y)"))]
        )

    def test_the_largest_score_of_a_softmax_is_left_out(self) -> None:
        network = written_out()
        assert maxima(network) == []


def hard_head(rows: list[list[int]], divided: bool) -> Network:
    """The largest of scores over y get the weight 1, all others 0; values are read there, and divided by their number or not."""
    one = np.zeros(2, np.int64)
    last: tuple[Any, ...] = (Sum("count", 1, 1, Ref("hard", (X, Y)), EVERY, 0),
            Quotient("head", 1, 2, Ref("num", (X,)), Ref("count", (X,)), one, 4, WORD)) if divided else ()  # fmt: skip
    nodes = (
        Letters("tokens", 2),
        affine("scored", 1, [(Ref("tokens", (X,)), rows)]),
        Round("scored.r", 1, 2, Ref("scored", (X,)), 0, WORD),
        Product("products", 2, Ref("scored.r", (X,)), np.arange(2), Ref("tokens", (Y,)), np.arange(2), 0),
        affine("score", 2, [(Ref("products", (X, Y)), [[1, 1]])]),
        Round("score.r", 2, 1, Ref("score", (X, Y)), 0, WORD),
        Maximum("max", 1, 1, Ref("score.r", (X, Y)), np.zeros((1, 1), np.int64), EVERY, (), WORD),
        affine("less", 2, [(Ref("score.r", (X, Y)), [[1]]), (Ref("max", (X,)), [[-1]])]),
        Table("hard", 2, 1, Ref("less", (X, Y)), np.array([0]), np.array([0, 1]), BIT),
        Product("weighted", 2, Ref("hard", (X, Y)), one, Ref("tokens", (Y,)), np.arange(2), 0),
        Sum("num", 1, 2, Ref("weighted", (X, Y)), EVERY, 0),
        *last,
    )
    found = Network(nodes, None, Domain(), ("a", "b"))
    found.check()
    return found


class TestHardHeads:
    def test_a_mean_over_the_largest_scores(self) -> None:
        (found,) = patterns(hard_head([[1, 0], [0, 1]], True), samples("ab", 4))
        assert found.text == "averages over the y whose score is largest: the positions y with a(y) <-> a(x)"

    def test_a_sum_over_the_largest_scores(self) -> None:
        network = hard_head([[1, 0], [0, 1]], False)
        (head,) = heads(network)
        assert (head.name, head.divided, head.weights, head.values) == ("num", False, ("hard", 0), ("tokens", (0, 1)))
        (found,) = patterns(network, samples("ab", 4))
        assert found.text == "sums over the positions y with a(y) <-> a(x)"

    def test_a_head_that_reads_one_position(self) -> None:
        network = hard_head([[1, 0], [0, 1]], False)
        words = np.array([[0, 1], [1, 0]])
        seen = np.ones(words.shape, dtype=bool)
        (found,) = patterns(network, Samples(("a", "b"), (words,), (seen,), (seen,)))
        assert found.way == "reads"
        assert str(found.formula) == "y = x"
