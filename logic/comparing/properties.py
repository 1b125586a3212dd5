"""Properties: sentences about a word and what the network answers on it, or about two words and both answers.

The atoms of a property are letters, conditions on positions, and

* ``class[c]``, or ``class[c](t)`` for a network that answers at every position: the network decides class c;
* ``NAME[e].k(..)`` and ``NAME[e](..)``: bit k, or the only bit, of element e of a word of the network;
* any of these, and any letter, with ``.2`` behind: the same of a *second* word, of the same length.

So ``(forall x. b(x) -> b.2(x)) -> (class[1] -> class[1].2)`` says that more letters b never turn the answer 1 into 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from circuits.diagnostics import FomError, fail
from circuits.evaluate import evaluate as evaluate_network
from circuits.network import Exact, Network
from circuits.pairs import n_classes
from logic.batch import evaluate as evaluate_sentence
from logic.comparing.problem import decided_by
from logic.comparing.rewriting import letters_as_products
from logic.syntax import Sentence

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truths = np.ndarray[Any, np.dtype[np.bool_]]

SECOND = ".2"
ELEMENT = re.compile(r"(.*)\[(\d+)\](?:\.(\d+))?")
MOST_PRODUCTS = 1 << 12


@dataclass(frozen=True, slots=True)
class LetterOf:
    """A letter of the first word (copy 0) or of the second (copy 1)."""

    copy: int
    number: int


@dataclass(frozen=True, slots=True)
class ClassOf:
    """That the network decides a class on one of the words."""

    copy: int
    number: int


@dataclass(frozen=True, slots=True)
class BitOf:
    """A bit of a word of the network, on one of the words read."""

    copy: int
    node: str
    element: int
    bit: int


Atom = LetterOf | ClassOf | BitOf


@dataclass(frozen=True)
class Property:
    """A property of a network. The letters and propositions of the sentence are its atoms.

    Raises:
        FomError: an atom that is no letter and nothing that the network answers, or that is read at a position where the
            network answers once, or the other way round; or a free variable where the network answers once for each word.
    """

    network: Network
    sentence: Sentence

    def __post_init__(self) -> None:
        if len(self.sentence.free) > self.network.decided.n_positions:
            raise fail("T067", f"`{self.sentence.free[0]}` is free, and the network answers once for each word")
        for name, atom in self.atoms.items():
            given = int(name in self.sentence.letters)
            if self.n_positions(atom) != given:
                raise fail("T067", f"`{name}` needs {'no' if given else 'a'} position in brackets")

    @cached_property
    def atoms(self) -> dict[str, Atom]:
        """What each letter and proposition of the sentence means."""
        return {name: atom_of(name, self.network) for name in (*self.sentence.letters, *self.sentence.propositions)}

    @cached_property
    def copies(self) -> int:
        """How many words it speaks about."""
        return 1 + max((atom.copy for atom in self.atoms.values()), default=0)

    def n_positions(self, atom: Atom) -> int:
        """How many positions an atom speaks of."""
        match atom:
            case LetterOf():
                return 1
            case ClassOf():
                return self.network.decided.n_positions
            case BitOf(node=node):
                return self.network.by_name[node].n_positions

    def holds(self, words: Integers, second: Integers | None = None) -> Truths:
        """Where it holds on words of shape ``(B, n)``, each with its second word: ``(B,)``, or ``(B, n)`` with a free variable.

        Raises:
            FomError: too many relations of the network at once.
        """
        given = (words, words if second is None else second)
        truth = {
            name: self.value(atom, given[atom.copy])
            for name, atom in self.atoms.items()
            if not isinstance(atom, LetterOf)
        }
        relations = [name for name in self.sentence.letters if name in truth]
        sizes = [len(self.network.alphabet)] * self.copies + [2] * len(relations)
        total = int(np.prod(sizes, dtype=np.float64))
        if total > MOST_PRODUCTS:
            raise fail("T067", f"the property speaks about {len(relations)} relations of the network, too many at once")
        codes = np.ravel_multi_index(
            [*given[: self.copies], *(truth[name].astype(np.int64) for name in relations)], sizes
        )
        parts = np.unravel_index(np.arange(total), sizes)
        chosen = {name: parts[self.copies + place] == 1 for place, name in enumerate(relations)}
        chosen |= {
            name: parts[atom.copy] == atom.number for name, atom in self.atoms.items() if isinstance(atom, LetterOf)
        }
        sentence = letters_as_products(self.sentence, chosen, tuple(f"p{code}" for code in range(total)))
        propositions = np.zeros((len(words), len(self.sentence.propositions)), dtype=bool)
        for place, name in enumerate(self.sentence.propositions):
            propositions[:, place] = truth[name]
        return np.asarray(evaluate_sentence(sentence, codes, propositions)[""], dtype=bool)

    def value(self, atom: ClassOf | BitOf, words: Integers) -> Truths:
        """What the network says on words: ``(B,)``, or ``(B, n)``."""
        if isinstance(atom, ClassOf):
            return np.equal(decided_by(self.network, words), atom.number)
        codes = evaluate_network(self.network, words, (atom.node,))[atom.node][..., atom.element]
        return np.not_equal((codes - self.network.word(atom.node).format.lo) >> atom.bit & 1, 0)


def atom_of(name: str, network: Network) -> Atom:
    """What a name means: the first word's, or with ``.2`` behind the second word's.

    Raises:
        FomError: it is no letter, no class and no bit of a word.
    """
    found = meaning(name, 0, network)
    if found is None and name.endswith(SECOND):
        found = meaning(name.removesuffix(SECOND), 1, network)
    if found is None:
        raise unknown(name, network)
    return found


def meaning(name: str, copy: int, network: Network) -> Atom | None:
    """What a name means for one of the words, or None."""
    if name in network.alphabet:
        return LetterOf(copy, network.alphabet.index(name))
    found = ELEMENT.fullmatch(name)
    if found is None:
        return None
    base, element, bit = found[1], int(found[2]), found[3]
    if base == "class" and network.decided.kind != "value":
        return ClassOf(copy, element) if bit is None and element < n_classes(network) else None
    node = network.by_name.get(base)
    if node is None or isinstance(node, Exact) or element >= node.size or node.n_positions > 1:
        return None
    single = node.format.bits == 1
    if single != (bit is None) or (bit is not None and int(bit) >= node.format.bits):
        return None
    return BitOf(copy, base, element, int(bit or 0))


def unknown(name: str, network: Network) -> FomError:
    """The diagnostic for a name without meaning."""
    readout = network.decided
    answers = "" if readout.kind == "value" else f", class[0] to class[{n_classes(network) - 1}]"
    return fail(
        "T067",
        f"`{name}` is no letter, no class and no bit of a word of the network",
        note=f"there are the letters {' '.join(network.alphabet)}{answers}, and NAME[element].bit of the network's words",
        help="`.2` behind a name speaks of the second word; `fom show DIR` lists the words",
    )
