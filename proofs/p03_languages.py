# %% [markdown]
# # A library of languages
#
# `examples/languages` holds sentences for the languages that papers on transformers, circuits and logic speak of.
# This notebook asks what such sentences can say: what counting adds to first-order logic, what order adds to
# counting, what happens at zero and on ties, and which of these languages are within reach of which kind of
# transformer.
#
# Everything below is computed from the sentences, by evaluating them on all words up to some length.

# %%
import sys
from itertools import product
from pathlib import Path
from textwrap import fill

import numpy as np

ROOT = Path(__file__).resolve().parent.parent if "__file__" in globals() else Path.cwd().parent
sys.path.insert(0, str(ROOT))

from logic.batch import evaluate
from logic.parser import parse
from proofs.figures import Lines

FOLDER = ROOT / "examples" / "languages"
LIBRARY = {path.stem: parse(path.read_text(encoding="utf-8"), path.name) for path in sorted(FOLDER.glob("*.fom"))}


def answers_once(name):
    """Whether a file holds a sentence that is true or false in a word, and no classes."""
    return not LIBRARY[name].free and "class[0]" not in {one.name for one in LIBRARY[name].definitions}


LANGUAGES = [name for name in LIBRARY if answers_once(name)]
print(f"{len(LIBRARY)} files: {len(LANGUAGES)} languages, {len(LIBRARY) - len(LANGUAGES)} with other answers")


def all_words(size, n):
    """All words of length n over letters 0, 1, ..., in lexicographic order."""
    return np.array(list(product(range(size), repeat=n)), dtype=np.int64).reshape(size**n, n)


def truth(sentence, n):
    """The truth of a sentence in all words of length n."""
    return evaluate(sentence, all_words(len(sentence.letters), n))[""]


def spelled(sentence, word):
    """A word as text."""
    return "".join(sentence.letters[letter] for letter in word) or "ε"


# %% [markdown]
# ## 1. One majority quantifier
#
# `M i. b(i)` says that b stands at *at least half* of the positions. That is the definition of Merrill and
# Sabharwal (2023); earlier papers meant *more than half*. The two are the same logic, by two negations, and not
# the same sentence.

# %%
LIBRARY["majority"]

# %%
LIBRARY["strict_majority"]

# %%
print("words in which the two differ, by length:")
for n in range(9):
    differ = np.flatnonzero(truth(LIBRARY["majority"], n) != truth(LIBRARY["strict_majority"], n))
    example = spelled(LIBRARY["majority"], all_words(2, n)[differ[0]]) if len(differ) else ""
    print(f"n = {n}: {len(differ):2} of {2**n:3}  {example}".rstrip())

# %% [markdown]
# They differ on ties, so for even n only, and for $n = 0$, where 0 is half of 0. For even n the number of ties is
# $\binom{n}{n/2}$.
#
# ## 2. Zero is not a position
#
# Numbers in this logic are positions $1, \dots, n$. A count of 0 has no name, and a sentence that gives names to
# counts goes wrong where they are 0. Here is Dyck-1, the balanced parentheses, with the counts compared directly:

# %%
LIBRARY["dyck_1"]

# %% [markdown]
# And here is a tempting form, in which a position k names the number of closing parentheses so far. Example 4 of
# Merrill and Sabharwal (2023), as printed, names counts in this way.

# %%
named = parse(
    """
    letters '(', ')';
    let never_below := forall x. exists k. #y[y <= x & ')'(y)] = k & #y[y <= x & '('(y)] >= k;
    never_below & (M x. '('(x)) & (M x. ')'(x))
    """
)
print("n          ", *(f"{n:4}" for n in range(11)))
print("Dyck-1     ", *(f"{int(truth(LIBRARY['dyck_1'], n).sum()):4}" for n in range(11)))
print("with names ", *(f"{int(truth(named, n).sum()):4}" for n in range(11)))

# %% [markdown]
# The first row counts balanced words: 1, 1, 2, 5, 14, 42, the Catalan numbers. The second is empty from $n = 1$
# on: after the first letter of a balanced word, nothing has been closed, and 0 has no witness.
#
# ## 3. What counting alone can say
#
# A sentence without order sees a word as a bag of letters. Which of the languages are like that? Rearrange the
# letters of every word and see whether the answer changes.


# %%
def depends_on_counts_only(name, n):
    """Whether words of length n with the same counts of letters get the same answer."""
    sentence = LIBRARY[name]
    bags = np.sort(all_words(len(sentence.letters), n), axis=1)
    _, bag = np.unique(bags, axis=0, return_inverse=True)
    holds = truth(sentence, n)
    accepted, total = np.bincount(bag.ravel(), holds), np.bincount(bag.ravel())
    return bool(((accepted == 0) | (accepted == total)).all())


bags = [name for name in LANGUAGES if all(depends_on_counts_only(name, n) for n in range(5))]
print(fill(", ".join(bags), 90))

# %% [markdown]
# All other languages need order: $a^m b^m$ has the counts of "exactly half", and one more condition.
#
# Counting and order also nest. *Majority of majorities* asks, at every position, whether half of the letters so
# far are b, and then whether that is so at half of the positions.

# %%
LIBRARY["majority_of_majorities"]

# %%
simply, nestedly = (truth(LIBRARY[name], 4) for name in ("majority", "majority_of_majorities"))
for word, simple, nested in zip(all_words(2, 4), simply, nestedly, strict=True):
    if simple != nested:
        inside = "nested only" if nested else "simple only"
        print(f"{spelled(LIBRARY['majority'], word)}: {inside}")

# %% [markdown]
# ## 4. The regular ones, and their algebra
#
# Two words are *equivalent* for a language if every continuation makes both belong or neither. A language is
# regular if and only if there are finitely many classes (Myhill, Nerode); they are the states of its smallest
# automaton.
#
# For each language we look at all words up to some length, take the classes that short continuations tell apart,
# and build the automaton. It counts if no longer prefix gives another class and the automaton answers as the
# sentence does on every word considered. (That is evidence and no proof; the proofs are in the papers.)

# %%
REACH = {1: (12, 12), 2: (6, 5), 3: (4, 3), 4: (3, 2), 8: (2, 1)}  # longest prefixes and continuations


def futures(tables, size, prefix, number, most):
    """The answers to all continuations of up to `most` letters of word `number` of a length."""
    counts = [size**more for more in range(most + 1)]
    parts = (tables[prefix + more][number * k : (number + 1) * k] for more, k in enumerate(counts))
    return b"".join(part.tobytes() for part in parts)


def automaton(name):
    """The transitions, a row for each state, and the accepting states; None if there is no automaton."""
    sentence = LIBRARY[name]
    size = len(sentence.letters)
    longest, most = REACH[size]
    tables = [truth(sentence, n) for n in range(longest + most + 2)]
    state, words = {}, []
    for n in range(longest + 1):
        for number in range(size**n):
            future = futures(tables, size, n, number, most)
            if future not in state:
                state[future] = len(words)
                words.append((n, number))
    moves = []
    for n, number in words:
        after = [futures(tables, size, n + 1, number * size + letter, most) for letter in range(size)]
        if any(future not in state for future in after):
            return None
        moves.append([state[future] for future in after])
    table, accepting = np.array(moves), np.array([tables[n][number] for n, number in words])
    reached = np.zeros(1, dtype=np.int64)
    for answers in tables:
        if (accepting[reached] != answers).any():
            return None
        reached = table[reached].ravel()
    return table, accepting


AUTOMATA = {name: found for name in LANGUAGES if (found := automaton(name)) is not None}
print(f"{len(AUTOMATA)} of {len(LANGUAGES)} languages have an automaton; the others:")
print(fill(", ".join(name for name in LANGUAGES if name not in AUTOMATA), 90))

# %% [markdown]
# What an automaton can be compared with is in how words move its states. Each word is a map of the states to
# themselves; these maps are the *transition monoid*, and it tells the class:
#
# * no map permutes some states in a cycle of length 2 or more: the language is **star-free**, which is FO[<]
#   (Schützenberger 1965, McNaughton and Papert 1971);
# * no set of words *of one length* contains such permutations with all their powers: the language is in **AC⁰**
#   (Barrington, Compton, Straubing and Thérien 1992);
# * no state is ever returned to once left: the monoid is **R-trivial**, which is LTL with the one operator "some
#   time before", and these are the languages of transformers of fixed precision, causal, without positions (Li
#   and Cotterell 2025).


# %%
def then(first, second):
    """The map that does one thing, then another."""
    return tuple(second[place] for place in first)


def monoid(letters):
    """All maps that words make of the states."""
    found, waiting = set(letters), list(letters)
    while waiting:
        element = waiting.pop()
        for letter in letters:
            longer = then(element, letter)
            if longer not in found:
                found.add(longer)
                waiting.append(longer)
    return found


def powers(element):
    """An element and its powers, each once, and whether the first comes back: then they are a group."""
    found, power = [element], then(element, element)
    while power not in found:
        found.append(power)
        power = then(power, element)
    return found, power == element


def has_group(elements):
    """Whether a set of maps contains a group of two or more."""
    return any(cycle and len(group) > 1 and elements.issuperset(group) for group, cycle in map(powers, elements))


def by_length(letters):
    """The sets of maps of the words of length 1, 2, ..., until they repeat."""
    seen, current = [], frozenset(letters)
    while current not in seen:
        seen.append(current)
        current = frozenset(then(element, letter) for element in current for letter in letters)
    return seen


def returns(table):
    """Whether some state can be left and reached again."""
    reach = np.eye(len(table), dtype=bool)
    for letter in range(table.shape[1]):
        reach[np.arange(len(table)), table[:, letter]] = True
    for _ in range(len(table)):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    return bool((reach & reach.T).sum() > len(table))


FACTS = {}
print(f"{'':22} states  maps  star-free  AC0  R-trivial")
for name, (table, _) in AUTOMATA.items():
    letters = [tuple(column) for column in table.T.tolist()]
    maps = monoid(letters)
    facts = [not has_group(maps), not any(map(has_group, by_length(letters))), not returns(table)]
    FACTS[name] = ["yes" if fact else "no" for fact in facts]
    star_free, ac0, r_trivial = FACTS[name]
    print(f"{name:22} {len(table):6} {len(maps):5}  {star_free:9}  {ac0:3}  {r_trivial}")

# %% [markdown]
# Parity and counting modulo 3 are beyond AC⁰; even length is not star-free and yet in AC⁰, because a circuit is
# made for one length. The same pattern "ab occurs" is R-trivial over two letters and not over three: with a third
# letter between them, a reader has to remember whether the last letter was an a, and may have to forget it again.
#
# The table in the folder's README says the same:

# %%
written = {}
for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines():
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if len(cells) == 10 and cells[0].startswith("[`"):
        written[cells[0].split("`")[1]] = cells[5:]
assert sorted(written) == LANGUAGES
for name, (regular, star_free, ac0, _, ltl) in written.items():
    assert (regular == "yes") == (name in AUTOMATA), name
    if name in AUTOMATA:
        assert [star_free, ac0, ltl] == FACTS[name], name
    else:
        assert (star_free, ltl) == ("no", "no"), name
print(f"{len(written)} rows agree")

# %% [markdown]
# ## 5. How much a reader has to remember
#
# The number of classes of words of length n measures what somebody has to know who reads from left to right and
# will be asked at the end. For regular languages it stays bounded. A program of C-RASP, and with it a causal
# transformer that rounds outside of attention only (Yang, Cadilhac and Chiang 2025), knows finitely many counts:
# at most polynomially many classes. So a language with exponentially many is beyond it.

# %%
DRAWN = ("palindrome", "middle_letter", "majority_of_majorities", "majority", "dyck_1", "parity")
LENGTHS = range(1, 8)


def knowledge(name):
    """How many classes words of each length fall into, as far as continuations up to length 8 tell."""
    tables = [truth(LIBRARY[name], n) for n in range(LENGTHS[-1] + 9)]
    return [len({futures(tables, 2, n, number, 8) for number in range(2**n)}) for n in LENGTHS]


known = {name: knowledge(name) for name in DRAWN}
print(f"{'':24}", *(f"{n:4}" for n in LENGTHS))
for name, classes in known.items():
    print(f"{name:24}", *(f"{count:4}" for count in classes))

# %%
Lines(
    {name: list(zip(LENGTHS, classes, strict=True)) for name, classes in known.items()},
    "length n",
    "classes",
    logarithmic=True,
)

# %% [markdown]
# A straight line in this picture is exponential growth. For palindromes every word is a class of its own: $2^n$.
# The sentence is one line all the same, in FO[<,+] and so in AC⁰: circuits read all letters at once.
