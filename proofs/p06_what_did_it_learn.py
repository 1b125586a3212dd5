# %% [markdown]
# # What did it learn?
#
# A translated network is a sentence of thousands of definitions. It is right, and nobody can read it. This notebook
# looks for the short one: the smallest sentence that a network computes, found by search, verified by proof, and
# refuted where it sounds right and is not.
#
# Three trained networks: one that looks for an a before a b, one that votes, and one that adds modulo 5.

# %%
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent if "__file__" in globals() else Path.cwd().parent
sys.path.insert(0, str(ROOT))

import translator
from logic.measure import measure
from logic.parser import parse
from logic.searching.programs_of_sentences import program_of
from proofs.figures import Shades

EXAMPLES = ROOT / "examples"
PATIENT = 300.0

# %% [markdown]
# ## 1. The shortest sentence
#
# `contains_ab` is a transformer with one layer, two heads and a LayerNorm. First the sentence that is read off its
# weights:

# %%
contains = translator.translate(EXAMPLES / "contains_ab" / "model.onnx")
size = measure(contains.sentence)
print(f"{contains.precision}: {size.definitions:,} definitions, {size.nodes:,} nodes")

# %% [markdown]
# Now all formulas are tried, smallest first, on all words of up to 8 letters. A formula is kept for each set of words
# that it picks out; larger ones are put together from those kept. Shown are those that are wrong less often than
# every smaller one.

# %%
found = translator.explain(contains, translator.Search(timeout_s=PATIENT), look=translator.Look(inside=False))
(answer,) = found.explained
for candidate in answer.front:
    print(f"{candidate.size:2} nodes, wrong on {candidate.wrong:3} of {candidate.total}: {candidate.sentence.formula}")
assert answer.chosen.wrong == 0

# %% [markdown]
# The last one is right on all of them. Whether that is so on other words is a question for `verify`, which answers
# with a scope and a method, or with a word.

# %%
report = contains.verify(against=str(answer.chosen.sentence.formula), max_length=10)
for claim in report.claims:
    print(f"{claim.left} = {claim.right}: {claim.word}, {claim.scope}, {claim.method}")
size = measure(answer.chosen.sentence)
print(f"{size.nodes} nodes")

# %% [markdown]
# Two formulas that sound different may be the same, and two that sound the same may differ. "An a and behind it,
# anywhere, a b" is the same property, since there are only two letters. "An a and a b" is not, and there is a word that
# tells it apart, replayed through the file and all representations:

# %%
for spec in ("exists x. exists y. a(x) & b(y) & x < y", "(exists x. a(x)) & (exists y. b(y))"):
    (claim,) = contains.verify(against=spec, max_length=6).claims
    print(f"{claim.word}: {spec}")
print(claim.verdict.counterexample.word, claim.verdict.counterexample.decisions)

# %% [markdown]
# ## 2. A vote, at every length
#
# A network without positions cannot tell two words apart that have the same letters. So it decides by two numbers, how
# many a and how many b there are, and the line at which its answer changes can be read off its own arithmetic. What
# it computes in fixed precision is close to the majority of b, and not the same:

# %%
majority = translator.translate(EXAMPLES / "majority" / "model.onnx", precision="fixed:5")
found = translator.explain(majority, translator.Search(timeout_s=PATIENT), look=translator.Look(inside=False))
(answer,) = found.explained
for name, one in (("short", answer), ("farther", answer.further)):
    if one is not None:
        departs = f"; departs first on {one.departs}" if one.departs else ""
        print(f"{name}: {one.chosen.sentence.formula}")
        print(f"    {one.report.verdict}, {one.report.scope}{departs}")

# %% [markdown]
# And the shortest word on which that differs from the majority of b, which it was trained for:

# %%
(claim,) = majority.verify(against="M x. b(x)").claims
print(f"{claim.word}, {claim.method}: {claim.verdict.counterexample.word}")

# %% [markdown]
# ## 3. A law
#
# The third network reads two digits and a sign and answers with one of five classes. Here a sentence for each class
# would be a list of pairs of digits; what they have in common is a law.

# %%
adding = translator.translate(EXAMPLES / "modular_addition" / "model.onnx")
found = translator.explain(adding)
table = found.table
print(f"{table.fit.law.text}: right on {table.fit.right} of {table.fit.seen} words, where {table.where}")
print(f"on other words: {table.elsewhere.text}")
print(f"class 0 where {dict(table.formulas)[0].formula}")

# %% [markdown]
# What the network answers, for both digits, and how the last layer comes to it: each of its units is a table of 25
# numbers, and the notebook asks which of them depend on the sum alone.

# %%
digits = [str(digit) for digit in range(5)]
decided = table.found.decided.reshape(5, 5)
Shades(decided.tolist(), digits, digits, "the answer: the first digit down, the second across")

# %%
for name, meaning, _ in found.inside[-3:]:
    print(f"{name}: {meaning}")

# %% [markdown]
# ## 4. Programs
#
# A sentence is also a program in the manner of RASP: counts are selector widths, comparisons are elementwise. Both
# texts run, and agree with the sentence on all words.

# %%
program = program_of(parse("letters a, b; (M x. a(x - 1)) & exists x. b(x) & x = n"))
print(program.rasp)
print(program.python)
