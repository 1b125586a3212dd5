# %% [markdown]
# # A trained transformer, its sentence, and a proof
#
# `examples/majority/model.onnx` is a small transformer, trained on words of at most 10 letters to answer
# whether at least half of the letters are b. It has one attention layer, no positions, and mean pooling.
#
# This script takes it from its weights to a family of threshold circuits and a sentence of first-order logic
# with majority quantifiers, and proves that the three agree at every length. At the end one weight of the
# sentence is changed, and the claim is refuted with a word.
#
# It runs as a plain script, `python proofs/p01_majority.py`.

# %%
import re
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent if "__file__" in globals() else Path.cwd().parent
sys.path.insert(0, str(ROOT))

from logic.printer import to_ascii
from logic.proving.circuit_sentence import prove_circuit_sentence
from translator import load, translate, verify
from translator.sides import Sides

translation = translate(ROOT / "examples" / "majority" / "model.onnx", precision="fixed:5")
translation

# %% [markdown]
# ## 1. How faithful is it?
#
# Every number that takes part in a product is now a word of 5 bits; sums stay exact. Fidelity is a count: on
# how many words does the fixed-precision network decide as onnxruntime does? Nothing is claimed about other
# words.

# %%
fidelity = translation.fidelity
print(f"{translation.precision}, weights of {translation.precision.weight_bits} bits")
print(f"{fidelity.agree} of {fidelity.inputs} decisions agree with onnxruntime ({fidelity.description})")

# %% [markdown]
# This network has no positions and no mask, so its answer depends only on how many a's and b's there are. That
# makes it cheap to look further: one word for each count, up to length 40.


# %%
def words_by_count(n):
    """One word of length n for each number of b's."""
    return np.array([[1] * k + [0] * (n - k) for k in range(n + 1)])


def majority(n):
    """What the task wants for these words."""
    return (2 * np.arange(n + 1) >= n).astype(int)


sides = Sides(translation)
for side in ("onnx", "network"):
    wrong = [
        (n, k)
        for n in range(1, 41)
        for k in np.flatnonzero(sides.decide(side, words_by_count(n)) != majority(n)).tolist()
    ]
    n, k = wrong[0]
    print(f"{side}: {len(wrong)} of {sum(range(2, 42))} counts are wrong; the first has {k} b's among {n} letters")

# %% [markdown]
# Both networks are wrong about their task on some words, and not on the same ones. A translation has to be
# wrong with its network: what follows is about the fixed-precision network, not about majority.
#
# ## 2. The sentence
#
# Every bit of every word became a definition. Here is one attention head, from the scores to the first bit of
# the first output: x attends, y is attended to.

# %%
definitions = {definition.name: definition for definition in translation.sentence.definitions}
printed = dict(
    re.findall(r"^(?:let|sum) (\S+?)(?:\([xy, ]*\))? := (.*);$", to_ascii(translation.sentence), re.MULTILINE)
)


def show(name):
    """Print a definition, shortened."""
    text, parameters = printed[name], ", ".join(definitions[name].params)
    text = text if len(text) < 200 else text[:170] + "..."
    print(f"{name}({parameters}) :=\n    {text}\n")


show("blocks0.attention.score[0]")
show("blocks0.attention.score.r[0].4")
show("blocks0.attention.max[0].4")
show("blocks0.attention.shifted[0]")
for bit in (4, 3, 2, 1, 0):
    show(f"blocks0.attention.exp[0].{bit}")
show("blocks0.attention.den[0]")
show("blocks0.attention.num[0]")
show("blocks0.attention.head[0].4")

# %% [markdown]
# * A score is an exact sum; its highest bit is a comparison of that sum with a constant.
# * The largest score is found bit by bit: its highest bit says that *some* y has that bit. This is where
#   quantifiers come from.
# * The exponential is a constant here. The scores of this network are so small that their exponentials are one
#   and the same 5-bit word: training found uniform attention, which is what counting needs.
# * Numerator and denominator of the softmax are counted sums over all y: `#y[true : ...]` adds its body over
#   the positions.
# * The quotient is never computed. Its highest bit compares twice the numerator with the denominator.
#
# The sentence does not mention a length. It has one shared graph of definitions; without sharing it could not
# be written down.

# %%
from logic.measure import measure

sizes = measure(translation.sentence)
print(f"{sizes.definitions} definitions, {sizes.nodes} nodes; {sizes.unfolded_nodes:.1e} nodes without sharing")
print(f"quantifier rank {sizes.quantifier_rank}, majority rank {sizes.majority_rank}")
print("the last formula:", to_ascii(translation.sentence).splitlines()[-1])

# %% [markdown]
# ## 3. The circuits
#
# The same definitions, read as gates, are a family of threshold circuits: one circuit for each n, of the same
# depth, with sizes that are polynomials in n.

# %%
family = translation.family
print(f"{len(family.templates)} templates, depth {family.depth}")
print(f"gates: {translation.sizes['gates']}")
print(f"wires: {translation.sizes['wires']}")
for n in (1, 2, 4, 8):
    circuit = translation.circuit(n)
    print(f"n = {n}: {circuit.n_gates} gates, {circuit.n_wires} wires, depth {circuit.depth}")

# %% [markdown]
# ## 4. The proof
#
# Two methods. The exhaustive one evaluates network, circuit and sentence on every word of at most 6 letters.
# The compositional one proves one lemma for each kind of gadget, for arbitrary sums, and compares the linear
# parts by their coefficients; nothing in it mentions n.

# %%
folder = Path(tempfile.mkdtemp()) / "majority"
translation.save(folder)
report = translation.verify(max_length=6)
for claim in report.claims:
    print(f"{claim.left} = {claim.right}: {claim.word}, {claim.scope} ({claim.method})")

# %%
proof = next(claim.verdict.proof for claim in report.claims if claim.method == "compositional")
for method, count in sorted(proof.by_method().items()):
    print(f"{count} lemmas by {method}")
print()
for lemma in proof.lemmas:
    if lemma.method == "z3" and not lemma.statement.startswith("the sum"):
        print(f"{lemma.covers:3} gates: {lemma.statement}" if lemma.covers else f"      law: {lemma.statement}")

# %% [markdown]
# What this says: for **every** n ≥ 1, every word of length n, the network, the circuit for n, and the sentence
# give the same answer. Here they are on a few words that no enumeration would have reached, among them words on
# which all three are wrong about majority.

# %%
for n, k in ((25, 12), (25, 13), (40, 19)):
    word = np.array([[1] * k + [0] * (n - k)])
    print(f"n = {n}, {k} b's:", {side: int(sides.decide(side, word)[0]) for side in ("network", "circuit", "sentence")})

# %% [markdown]
# ## 5. A wrong sentence
#
# Verification reads the files of the translation. Change the sign of one weight in the file of the sentence,
# and ask again.

# %%
path = folder / "sentence.fom"
before = "sum embedding[3](x) := 187*[b(x)] - 88;"
after = before.replace("187", "-187")
text = path.read_text(encoding="utf-8")
print(f"{text.count(before)} line changed to: {after}")
path.write_text(text.replace(before, after), encoding="utf-8")

edited = load(folder)
print("changed since it was written:", ", ".join(edited.edited))
report = verify(edited, max_length=6)
for claim in report.claims:
    print(f"{claim.left} = {claim.right}: {claim.word}, {claim.scope} ({claim.method})")
counterexample = next(claim.verdict.counterexample for claim in report.claims if claim.word == "refuted")
print(f"\n{report.verdict} by the word: {counterexample.word}")
print(counterexample.decisions)

# %% [markdown]
# The word was replayed through every representation before it was reported: onnxruntime, the network and the
# circuit still agree, the edited sentence does not. The proof for every length fails as well, and says where:
# it compares coefficients.

# %%
print(prove_circuit_sentence(edited.family, edited.sentence).open[0])
shutil.rmtree(folder.parent)
