# %% [markdown]
# # From weights to a sentence to a proof
#
# One trained transformer, all the way: its weights, the same network in fixed precision, one attention head with
# all its numbers, one threshold gate with all its wires, the definition in the sentence that is this gate, and
# the proof that network, circuits and sentence agree. At the end a specification that sounds right is refuted by
# a word.
#
# The network is `examples/first_letter/model.onnx`: it reads a word over a, b, c of at most 16 letters and
# answers which letter came first. It has one causal attention layer with learned positions and is read out at the
# last token, so the first letter has to travel.

# %%
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

ROOT = Path(__file__).resolve().parent.parent if "__file__" in globals() else Path.cwd().parent
sys.path.insert(0, str(ROOT))

from circuits.evaluate import evaluate
from circuits.wiring import circuit_to_data
from logic.family_to_sentence import guard_to_formula
from logic.printer import definition_text
from proofs.figures import Shades
from translator import translate
from translator.sides import Sides

MODEL = ROOT / "examples" / "first_letter" / "model.onnx"
LETTERS = "abc"

# %% [markdown]
# ## 1. The weights
#
# The file holds a table of letters, a table of positions, and the maps of one attention layer and one perceptron.
# A token is the sum of a row of each table. Looking at the rows tells little about what they are for; section 3
# will.

# %%
weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(MODEL).graph.initializer}
print(f"{sum(array.size for array in weights.values())} numbers in {len(weights)} tensors")
for name in ("embedding.weight", "table", "head.weight"):
    print(f"{name}: {' x '.join(map(str, weights[name].shape))}")

# %%
Shades(
    [*weights["embedding.weight"].tolist(), *weights["table"][:6].tolist()],
    [*(f"letter {letter}" for letter in LETTERS), *(f"position {place}" for place in range(1, 7))],
    [f"dim {number}" for number in range(8)],
    "What a token is made of: its letter and its position",
    digits=1,
)

# %% [markdown]
# ## 2. The same network in fixed precision
#
# The translation chooses the smallest precision with which every decision on the words up to length 8 is
# onnxruntime's.

# %%
translation = translate(MODEL, max_length=6)
network, family, sentence = translation.network, translation.family, translation.sentence
fidelity = translation.fidelity
print(f"{translation.precision}: {fidelity.agree} of {fidelity.inputs} decisions agree ({fidelity.description})")
print()
for node in network.nodes:
    kind = str(node.format) if hasattr(node, "format") else "exact integers"
    axes = "".join(f"[{variable}]" for variable in "xyz"[: node.n_positions])
    print(f"{type(node).__name__:10} {node.name + axes:34} {node.size:3} x {kind}")

# %% [markdown]
# A *word* is a number with a format: codes between two bounds, and how many of the bits are fractional.
# Everything else is an integer that is never rounded. The softmax is here in pieces: scores rounded to words,
# their maximum, exponentials from a table, and one quotient of two sums. The weights $e/\sum e$ themselves do not
# occur.
#
# ## 3. One head, one word
#
# The word is *bacaac*, and every row below is a position x that attends to the positions y up to x.

# %%
WORD = "bacaac"
codes = np.array([[LETTERS.index(letter) for letter in WORD]])
values = evaluate(network, codes, [node.name for node in network.nodes])
HEAD = "blocks0.attention"
scores, exponentials = values[f"{HEAD}.score.r"][0, :, :, 0], values[f"{HEAD}.exp"][0, :, :, 0]
causal = np.tril(np.ones_like(exponentials))
names = [f"{letter}{place}" for place, letter in enumerate(WORD, 1)]
Shades((exponentials * causal).tolist(), names, names, "exp(score - max), in sixteenths: x down, y across")

# %% [markdown]
# Every position looks at the first one and at nothing else. Here are the numbers behind the last row, for element
# 3 of the head:

# %%
ELEMENT = 3
x = len(WORD) - 1
value = values[f"{HEAD}.value.r"][0, :, ELEMENT]
weighted = values[f"{HEAD}.weighted"][0, x, :, ELEMENT]
print(f"at x = {x + 1}; the largest score is {values[f'{HEAD}.max'][0, x, 0]}")
print("  y  letter  score  exp  value  exp*value")
for y in range(x + 1):
    print(f"{y + 1:3}  {WORD[y]:6}  {scores[x, y]:5}  {exponentials[x, y]:3}  {value[y]:5}  {weighted[y]:9}")
num, den = int(values[f"{HEAD}.num"][0, x, ELEMENT]), int(values[f"{HEAD}.den"][0, x, 0])
code = int(values[f"{HEAD}.out.head"][0, x, ELEMENT])
quotient = network.by_name[f"{HEAD}.out.head"].format
print(f"numerator {num}, denominator {den}")
print(f"quotient {Fraction(num, den)}, as a word ({quotient}):")
print(f"code {code}, which stands for {quotient.value(code)}")
assert (num, den) == (exponentials[x, : x + 1] @ value[: x + 1], exponentials[x, : x + 1].sum())

# %% [markdown]
# ## 4. One gate
#
# The circuit computes the same words, bit by bit. A word is stored as its distance from the smallest code, here
# $u = \mathrm{code} + 7$ in 4 bits; its highest bit says $u \ge 8$, so the code is at least 1 and the quotient
# rounds to at least $\frac12$. That is so if the quotient is above $\frac14$ (a tie would go to 0, which is
# even):
#
# $$\frac{\mathrm{num}}{\mathrm{den}} > \frac14 \iff 4\,\mathrm{num} - \mathrm{den} \ge 1 .$$
#
# No division is left. Numerator and denominator are sums of bits, so this is one threshold gate. Here it is in
# the circuit for $n = 3$, at position 3, wire by wire:

# %%
data = circuit_to_data(family, 3)
objects = {one["id"]: one["name"] for one in [*data["inputs"], *data["constants"]]}
gates = {gate["name"]: gate for level in data["levels"] for gate in level}
objects |= {gate["id"]: gate["name"] for gate in gates.values()}
gate = gates[f"{HEAD}.out.head[{ELEMENT}].3(3)"]
sources = {}
for number, weight in gate["wires"]:
    entry, place = objects[number].removesuffix(")").split("(")
    sources.setdefault(entry, {"weight": set(), "at": []})
    sources[entry]["weight"].add(weight)
    sources[entry]["at"].append(f"({place})")
print(f"{gate['name']}: {len(gate['wires'])} wires, fires if they add up to {gate['threshold']} or more")
for entry, wires in sources.items():
    print(f"{entry:32} at {' '.join(wires['at'])}  weight {min(wires['weight']):4}")

# %% [markdown]
# The bits of the exponentials come with weights $-29 \cdot 2^i$ and not $-1 \cdot 2^i$: a value is stored as its
# distance from $-7$, so each product $e\,v = e\,(v + 7) - 7e$ takes $4 \cdot 7$ more from the exponential. The
# other wires come from the AND of a bit of the exponential with a bit of the value.
#
# The circuit for another n has the same gates at more positions. A family is that description, with a variable
# for every position:

# %%
print(f"{len(family.templates)} templates, depth {family.depth} for every n")
print(f"gates {translation.sizes['gates']}, wires {translation.sizes['wires']}")
template = family.by_name[f"{HEAD}.out.head.3"]
for wires in template.wires:
    print(f"{template.name}(x) reads {wires.source} at x, {wires.matrix.nnz} weights")
total = family.by_name[f"{HEAD}.num"]
for wires in total.wires:
    print(f"{total.name}(x) adds up {wires.source} at (x, y) over all y with {guard_to_formula(wires.guard)}")

# %% [markdown]
# ## 5. The same gate as a definition
#
# In the sentence, the gate is a definition with a free variable x, the sum over y is a counted variable, and the
# mask is the condition $y \le x$.

# %%
definitions = {definition.name: definition for definition in sentence.definitions}
shown = [f"{HEAD}.exp[0]", f"{HEAD}.den[0]", f"{HEAD}.num[{ELEMENT}]", f"{HEAD}.out.head[{ELEMENT}].3"]
for name in shown:
    print(definition_text(definitions[name]).splitlines()[-1])

# %%
definitions[shown[-1]].body

# %% [markdown]
# The whole sentence:

# %%
sizes = translation.measures
print(f"{sizes.definitions} definitions, {sizes.nodes} nodes, quantifier rank {sizes.quantifier_rank}")
print(f"{sizes.unfolded_nodes:.1e} nodes if every definition were written out where it is used")

# %% [markdown]
# ## 6. Four representations, one answer

# %%
sides = Sides(translation)
WORDS = ["b", "ab", "cab", "bacaac", "cccccccccb", "abcabcabcabcabca"]
print(f"{'':18} onnx  network  circuit  sentence")
for word in WORDS:
    codes = np.array([[LETTERS.index(letter) for letter in word]])
    answers = [LETTERS[int(sides.decide(side, codes)[0])] for side in ("onnx", "network", "circuit", "sentence")]
    print(f"{word:18} {answers[0]:4}  {answers[1]:7}  {answers[2]:7}  {answers[3]}")

# %% [markdown]
# ## 7. The proof
#
# Exhaustive for short words, and by composition for every length that the network accepts: one lemma for each
# kind of gadget, and a comparison of the linear parts by their coefficients.

# %%
report = translation.verify(max_length=5)
for claim in report.claims:
    print(f"{claim.left} = {claim.right}: {claim.word}, {claim.scope} ({claim.method})")

# %% [markdown]
# The proof is about the fixed-precision network. Whether that decides as onnxruntime does is another question,
# and the answer there is the count of section 2.
#
# ## 8. What it was trained for
#
# A specification says for each class when the network should answer it. The first is the task:

# %%
FIRST = "let class[0] := a(1); let class[1] := b(1); let class[2] := c(1); true"
report = translation.verify(against=FIRST, max_length=6)
print(f"{report.verdict}: network = first letter, {report.scope}")

# %% [markdown]
# Another way to say it: the answer is a if some a has nothing different anywhere *before* it. That is the same
# task. A third way is a slip of the pen: nothing different *directly before* it.

# %%
BEFORE = """
let class[0] := exists x. a(x) & ~exists y. y < x & (b(y) | c(y));
let class[1] := exists x. b(x) & ~exists y. y < x & (a(y) | c(y));
let class[2] := exists x. c(x) & ~exists y. y < x & (a(y) | b(y));
true
"""
BESIDE = """
let class[0] := exists x. a(x) & ~b(x - 1) & ~c(x - 1);
let class[1] := exists x. b(x) & ~a(x - 1) & ~c(x - 1);
let class[2] := exists x. c(x) & ~a(x - 1) & ~b(x - 1);
true
"""
for name, specification in (("before", BEFORE), ("beside", BESIDE)):
    report = translation.verify(against=specification, max_length=5)
    print(f"{name}: {report.verdict}, {report.scope}")
    for claim in report.claims:
        if claim.word == "refuted":
            found = claim.verdict.counterexample
            print(f"  word {found.word!r}: {found.decisions}")

# %% [markdown]
# Lengths are tried in turn, so no shorter word refutes it, and the word was replayed through every representation
# before it was shown. In *abb* the second b has nothing but a b directly before it: the slip asks for a and for
# b, and no network answers both.
