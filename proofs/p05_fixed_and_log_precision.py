# %% [markdown]
# # Fixed and log precision
#
# Attention is an average. What a transformer can say with an average over n positions depends on where it rounds,
# and on whether the number of bits grows with n. Three regimes, for one head with s fractional bits:
#
# | regime | the head computes | it recognises |
# |---|---|---|
# | weights rounded | $\sum_y \mathrm{round}(e_y / Z)\, v_y$, $Z = \sum_y e_y$ | LTL[P], all regular (Li, Cotterell 2025) |
# | quotient rounded | $\mathrm{round}\left(\sum_y e_y v_y / Z\right)$ | C-RASP (Yang, Cadilhac, Chiang 2025) |
# | bits grow with n | either, with $s \ge \log_2 n$ | languages in FO(M) (Merrill, Sabharwal 2023) |
#
# The first is what a softmax with a short format does: the weights are numbers of the format. The second is what
# fom translates to: sums are exact, and the quotient is rounded once. This notebook builds both for the simplest
# head there is, uniform attention over values $+1$ for b and $-1$ for a, and asks when the sign of the average is
# the majority of the word.

# %%
import sys
from itertools import count
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent if "__file__" in globals() else Path.cwd().parent
sys.path.insert(0, str(ROOT))

from circuits.evaluate import evaluate
from circuits.formats import BIT, Format
from circuits.matrices import identity, matrix
from circuits.network import Affine, Domain, Letters, Network, Operand, Product, Quotient, Readout, Round, Sum, Table
from circuits.network_to_family import network_to_family
from circuits.positions import TRUE, Ref, var
from logic.batch import evaluate as evaluate_sentence
from logic.family_to_sentence import family_to_sentence
from logic.parser import parse
from logic.printer import definition_text
from logic.proving.circuit_sentence import prove_circuit_sentence
from logic.proving.network_circuit import prove_network_circuit
from logic.smt.lemmas import Countermodel, Proved, integer, prove
from proofs.figures import Lines

S = 4

# %% [markdown]
# ## 1. Two heads
#
# Both are written in the nodes of a fixed-precision network. A `Quotient` rounds half to even; everything between
# words is exact.

# %%
Y, FIRST = var(0), np.zeros(1, dtype=np.int64)


def number(value):
    """An array of one number."""
    return np.array([value], dtype=np.int64)


def affine(name, source, weight, const=0, length=0, at=()):
    """The sum ``weight * source + const + length * n``; without a source, the rest of it."""
    operands = (Operand(Ref(source, at), identity(1, weight)),) if source else ()
    return Affine(name, len(at), 1, operands, number(const), number(length), 0)


def deciding(*nodes, last):
    """The network that answers 1 where the integer `last` is at least 0."""
    value = Affine(
        "value", 1, 1, (Operand(Ref("word", (Y,)), matrix([0, 0], [0, 1], [-1, 1], (1, 2))),), FIRST, FIRST, 0
    )
    logit = affine("logit", last, 2, const=1)
    decision = Table("class", 0, 1, Ref("logit"), number(1), np.array([0, 1]), BIT)
    made = Network(
        (Letters("word", 2), value, *nodes, logit, decision),
        Readout("logit", "class", "logit", None, 2, 0),
        Domain(),
        ("a", "b"),
    )
    made.check()
    return made


def quotient_rounded(s):
    """The sum of the values, divided by n, rounded once to s fractional bits."""
    return deciding(
        Sum("sum", 0, 1, Ref("value", (Y,)), TRUE, 0),
        affine("n", None, 0, length=1),
        Quotient("head", 0, 1, Ref("sum"), Ref("n"), FIRST, s, Format(s + 2, -(2 << s), s)),
        last="head",
    )


def weights_rounded(s):
    """The weight 1/n rounded to s fractional bits, times each value, then summed exactly."""
    return deciding(
        affine("one", None, 0, const=1),
        affine("n", None, 0, length=1),
        Quotient("weight", 0, 1, Ref("one"), Ref("n"), FIRST, s, Format(s + 1, 0, s)),
        Round("vote", 1, 1, Ref("value", (Y,)), 0, Format(2, -1, 0)),
        Product("share", 1, Ref("weight"), FIRST, Ref("vote", (Y,)), FIRST, s),
        Sum("head", 0, 1, Ref("share", (Y,)), TRUE, s),
        last="head",
    )


HEADS = {"weights rounded": weights_rounded(S), "quotient rounded": quotient_rounded(S)}

# %% [markdown]
# ## 2. Where they go wrong
#
# The answer depends on the counts of the letters only, so one word for each count covers every word. Here are all
# counts up to $n = 80$, compared with the sentence of majority.


# %%
def words_by_count(n):
    """One word of length n for each number of b's."""
    return np.array([[1] * k + [0] * (n - k) for k in range(n + 1)])


MAJORITY = parse((ROOT / "examples" / "languages" / "majority.fom").read_text(encoding="utf-8"))


def wrong_counts(network, n):
    """The numbers of b's at which a network and majority differ, among words of length n."""
    words = words_by_count(n)
    decided = evaluate(network, words)["class"][:, 0]
    return np.flatnonzero(decided != evaluate_sentence(MAJORITY, words)[""])


MOST = 80
for name, network in HEADS.items():
    wrong = [(n, k) for n in range(1, MOST + 1) for k in wrong_counts(network, n)]
    n, k = wrong[0]
    print(f"{name}: {len(wrong)} of {sum(range(2, MOST + 2))} counts are wrong,", end=" ")
    print(f"first with {k} b's among {n} letters")

# %% [markdown]
# **Weights rounded.** The weight of one position is $1/n$, in sixteenths: as soon as it is half of a sixteenth or
# less it is 0. Then the head sees nothing, whatever the word, and the sign of 0 is always the same.

# %%
for n in (1, 2, 10, 11, 16, 30, 31, 32, 33):
    weight = int(evaluate(HEADS["weights rounded"], words_by_count(n)[:1], ["weight"])["weight"][0, 0])
    print(f"n = {n:2}: 1/n is {weight:2}/16, all {n:2} weights add up to {weight * n:2}/16")

# %%
SUMS = [
    (n, evaluate(HEADS["weights rounded"], words_by_count(n)[:1], ["weight"])["weight"][0, 0] * n / (1 << S))
    for n in range(1, 49)
]
Lines(
    {"weights rounded": SUMS, "exact": [(n, 1.0) for n, _ in SUMS]},
    "length n",
    "sum of the weights",
)

# %% [markdown]
# This is not about uniform attention. The true weights add up to 1, and only those above $2^{-(s+1)}$ survive:
# fewer than $2^{s+1}$ of them, for every n. A head that reads a bounded number of positions can be said in
# first-order logic, with "at least k positions" for bounded k; majority cannot.
#
# **Quotient rounded.** Every position has its share in the sum. What is lost is small differences: an average
# between $-2^{-(s+1)}$ and 0 rounds to 0, which counts as a majority. That happens when there is one a more among
# 33 letters.

# %%
for n, k in ((31, 15), (32, 15), (33, 16), (33, 15)):
    word = words_by_count(n)[k : k + 1]
    head = int(evaluate(HEADS["quotient rounded"], word, ["head"])["head"][0, 0])
    print(f"{k} b's and {n - k} a's: average {2 * k - n}/{n} = {(2 * k - n) / n:.4f}, as a word {head}/16")

# %%
LENGTHS = range(2, 161)


def unnoticed(s, n):
    """Leads of a's up to this one are taken for a tie by an average rounded to s bits, among n letters."""
    return n >> s + 1


curves = {f"s = {s}": [(n, unnoticed(s, n)) for n in LENGTHS] for s in (3, 4, 5)}
curves["s = log n"] = [(n, unnoticed((n - 1).bit_length(), n)) for n in LENGTHS]
Lines(curves, "length n", "leads of a's that are not noticed")

# %% [markdown]
# ## 3. The sentence of the head
#
# Division has gone: "the average, rounded, is at least 0" compares sums. It is one definition of the translated
# sentence.

# %%
families = {name: network_to_family(network) for name, network in HEADS.items()}
sentences = {name: family_to_sentence(family) for name, family in families.items()}
for definition in sentences["quotient rounded"].definitions:
    if definition.name in ("value[0]", "sum[0]", "n[0]", f"head[0].{S + 1}"):
        print(definition_text(definition).splitlines()[-1])

# %% [markdown]
# With $d = \#b - \#a$ this says $2 \cdot 2^s\, d \ge -n$. Majority is $d \ge 0$. The tie $2^{s+1} d = -n$ rounds
# to the even neighbour, which is 0, so it belongs to the sentence.
#
# Network, circuits and sentence agree at every length, for both heads:

# %%
for name, network in HEADS.items():
    proofs = [
        prove_network_circuit(network, families[name]),
        prove_circuit_sentence(families[name], sentences[name]),
    ]
    open_lemmas = [lemma for proof in proofs for lemma in proof.open]
    print(f"{name}: {'open' if open_lemmas else 'proved for every n'}, depth {families[name].depth}")

# %% [markdown]
# ## 4. All lengths at once
#
# The counts a and b of the letters are integers, at least 0, and n is their sum. For a *fixed* s everything is
# linear in them, even the rounding: whether the nearest code is c is a comparison of $2^{s+1} d$ with $(2c \pm
# 1)\, n$, and c is one of finitely many numbers. So a solver for linear integer arithmetic decides it for every
# n, without enumeration.


# %%
def both_counts(smt):
    """The counts of a and b, their sum, and that they are the counts of some word of at least one letter."""
    a, b = integer(smt, "a"), integer(smt, "b")
    n = smt.Plus(a, b)
    return a, b, n, smt.And(smt.GE(a, smt.Int(0)), smt.GE(b, smt.Int(0)), smt.GE(n, smt.Int(1)))


def doubled(smt, s, a, b):
    """``2 * 2**s * (b - a)``."""
    return smt.Times(smt.Int(2 << s), smt.Minus(b, a))


def nearest(smt, s, code, a, b, n):
    """The average rounds to `code`: not further than half a step away, and an odd code wins no tie."""
    low, high = smt.Times(smt.Int(2 * code - 1), n), smt.Times(smt.Int(2 * code + 1), n)
    compare = smt.LT if code % 2 else smt.LE
    return smt.And(compare(low, doubled(smt, s, a, b)), compare(doubled(smt, s, a, b), high))


def said(answer):
    """An answer of the solver in words."""
    if isinstance(answer, Countermodel):
        return f"refuted by {answer.values}"
    return "proved" if isinstance(answer, Proved) else f"open: {answer}"


def one_code(smt):
    """Every average has exactly one nearest code."""
    a, b, n, word = both_counts(smt)
    codes = [nearest(smt, S, code, a, b, n) for code in range(-(1 << S), (1 << S) + 1)]
    return smt.Implies(word, smt.ExactlyOne(codes))


def rounds_to_the_sentence(smt):
    """The code is at least 0 if and only if the sentence holds."""
    a, b, n, word = both_counts(smt)
    codes = [nearest(smt, S, code, a, b, n) for code in range((1 << S) + 1)]
    sentence = smt.GE(doubled(smt, S, a, b), smt.Times(smt.Int(-1), n))
    return smt.Implies(word, smt.Iff(smt.Or(codes), sentence))


print("each average has one nearest code:", said(prove(one_code)))
print(f"it is at least 0 if and only if {2 << S}(#b - #a) >= -n:", said(prove(rounds_to_the_sentence)))


# %% [markdown]
# Now majority. Up to which length is the rounded average right?


# %%
def is_majority(s, most=None):
    """The claim that the sentence with s bits is majority, for words of at most `most` letters."""

    def claim(smt):
        a, b, n, word = both_counts(smt)
        bound = smt.TRUE() if most is None else smt.LE(n, smt.Int(most))
        sentence = smt.GE(doubled(smt, s, a, b), smt.Times(smt.Int(-1), n))
        return smt.Implies(smt.And(word, bound), smt.Iff(sentence, smt.GE(b, a)))

    return claim


def first_wrong(s):
    """The shortest length at which s bits are too few, by trying one after the other."""
    return next(n for n in count(1) if isinstance(prove(is_majority(s, n)), Countermodel))


print(f"s = {S}, every n:   ", said(prove(is_majority(S))).split(" by")[0])
print(f"s = {S}, n <= {2 << S}: ", said(prove(is_majority(S, 2 << S))))
print(f"s = {S}, n <= {(2 << S) + 1}: ", said(prove(is_majority(S, (2 << S) + 1))))
print("first wrong length for s = 0, 1, 2, 3:", *(first_wrong(s) for s in range(4)))

# %% [markdown]
# The first wrong length is $2^{s+1} + 1$: testing all words up to 32 letters would have found nothing. The
# counterexample is the one that section 2 met, 17 a's and 16 b's.
#
# ## 5. Log precision
#
# Read the other way round: s bits are enough for all words of at most $2^{s+1}$ letters, so at length $n \ge 2$
# it takes $\lceil \log_2 n \rceil - 1$ bits. That is what *log precision* means: the bits grow with the logarithm
# of the length, and then the average has its majority at every length. The solver confirms it for each s, both
# that s bits reach that far and that they reach no further:

# %%
enough = [s for s in range(16) if isinstance(prove(is_majority(s, 2 << s)), Proved)]
too_few = [s for s in range(16) if isinstance(prove(is_majority(s, (2 << s) + 1)), Countermodel)]
print(f"right up to n = 2**(s + 1) for s = {enough[0]}..{enough[-1]} ({len(enough)} values)")
print(f"wrong at some n <= 2**(s + 1) + 1 for s = {too_few[0]}..{too_few[-1]} ({len(too_few)} values)")

# %% [markdown]
# For every s it takes one line: if $d \ge 0$ both sides hold; if $d \le -1$ and the sentence holds, then $2^{s+1}
# \le -2^{s+1} d \le n$, and $n = 2^{s+1}$ would force $d = -1$ with n even, but n and d have the same parity.
#
# With weights rounded it takes as many bits to see anything at all, and one more where n is a power of two and $1/n$ a
# tie. As soon as this head sees something it is right, because all its weights are the same:

# %%
print("s  first wrong length: weights rounded  quotient rounded")
for s in range(5):
    heads = weights_rounded(s), quotient_rounded(s)
    firsts = [next(n for n in count(1) if len(wrong_counts(network, n))) for network in heads]
    print(f"{s}  {firsts[0]:35}  {firsts[1]:16}")

# %% [markdown]
# ## What follows
#
# * A bound on lengths is no proof. The two sentences agree on every word of up to 32 letters and differ at 33.
# * At fixed precision the place of the rounding decides what kind of language is left: with rounded weights a
#   regular one; with a rounded quotient still a count, and a shifted threshold.
# * A count with a shifted threshold is exactly what a fixed-precision translation is: faithful on the words where
#   margins are larger than half a step. How far that is, fom measures and does not promise.
