"""TPTP: as written here, and read by E."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from logic import parse
from logic.tptp import sentence_to_tptp
from tests.logic.examples import EXAMPLES

GOLDEN = """\
% A sentence of FO(M), for words of every length n: positions are the integers from 1 to n.
% Theorem: every word satisfies it. CounterSatisfiable: some word does not.
tff(type_0, type, n: $int).
tff(type_1, type, 'letter at': $int > $int).
tff(type_2, type, '\\'a\\'': $int > $o).
tff(type_3, type, up: $int > $int).
tff(type_4, type, '#1': ($int * $int) > $int).
% the length
tff(axiom_0, axiom, $lesseq(0, n)).
% every position has a letter
tff(axiom_1, axiom, (! [V_x: $int] : ($lesseq(1, 'letter at'(V_x)) & $lesseq('letter at'(V_x), 1)))).
% the letter 'a'
tff(axiom_2, axiom, (! [V_x: $int] : ('\\'a\\''(V_x) <=> ($lesseq(1, V_x) & $lesseq(V_x, n) & ('letter at'(V_x) = 1))))).
% a count over y
tff(axiom_3, axiom, (! [V_x: $int] : ('#1'(0, V_x) = 0))).
% one position more
tff(axiom_4, axiom, (! [V_y: $int, V_x: $int] : (($lesseq(1, V_y) & $lesseq(V_y, n) & $less(V_y, V_x)) => \
('#1'(V_y, V_x) = $sum('#1'($sum(V_y, -1), V_x), 1))))).
% one position more
tff(axiom_5, axiom, (! [V_y: $int, V_x: $int] : (($lesseq(1, V_y) & $lesseq(V_y, n) & ~ ($less(V_y, V_x))) => \
('#1'(V_y, V_x) = '#1'($sum(V_y, -1), V_x))))).
% sum up
tff(axiom_6, axiom, (! [V_x: $int] : (($lesseq(1, V_x) & $lesseq(V_x, n)) => (up(V_x) = '#1'(n, V_x))))).
% sum up outside
tff(axiom_7, axiom, (! [V_x: $int] : (~ (($lesseq(1, V_x) & $lesseq(V_x, n))) => (up(V_x) = 0)))).
tff(sentence, conjecture, (! [V_x: $int] : (($lesseq(1, V_x) & $lesseq(V_x, n)) => \
($lesseq(1, $product(2, up(V_x))) => '\\'a\\''(V_x))))).
"""


def test_what_is_written() -> None:
    sentence = parse("sum up(x) := #y[y < x]; forall x. 2*up(x) >= 1 -> a(x)")
    assert "".join(sentence_to_tptp(sentence, negate=True)) == GOLDEN
    assert "".join(sentence_to_tptp(sentence)).splitlines()[-1].startswith("tff(sentence, axiom, ")


@pytest.mark.parametrize("text", EXAMPLES)
def test_parentheses_balance_and_symbols_are_declared(text: str) -> None:
    for line in "".join(sentence_to_tptp(parse(text))).splitlines():
        if line.startswith("%"):
            continue
        assert line.endswith(").")
        bare = re.sub(r"'(?:[^'\\]|\\.)*'", "q", line)
        for opening, closing in ("()", "[]"):
            assert bare.count(opening) == bare.count(closing)


@pytest.mark.interop
@pytest.mark.skipif(not shutil.which("eprover"), reason="E is not installed")
@pytest.mark.parametrize("text", EXAMPLES)
@pytest.mark.parametrize("negate", [False, True])
def test_e_reads_it(text: str, negate: bool) -> None:
    """E 2.6 has no types for the arithmetic functions, so they are declared under other names."""
    problem = "".join(sentence_to_tptp(parse(text), negate=negate))
    binary = ("sum", "product", "remainder_e", "quotient_e")
    types = "".join(f"tff(type_{name}, type, arith_{name}: ($int * $int) > $int).\n" for name in binary)
    problem = types + re.sub(r"\$(sum|product|remainder_e|quotient_e)\(", r"arith_\1(", problem)
    done = subprocess.run(["eprover", "--tstp-in", "--cpu-limit=1", "-s", "-C", "0"], input=problem, capture_output=True,
                          text=True, timeout=30, check=False)  # fmt: skip
    assert "rror" not in done.stderr + done.stdout, done.stderr + done.stdout
    assert "SZS status" in done.stdout or not done.stderr
