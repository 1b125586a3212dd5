"""Circuits of sentences: a sentence that was typed, or its file, as a uniform family of threshold circuits."""

from __future__ import annotations

from circuits.circuit import Circuit, instantiate
from circuits.diagnostics import fail
from circuits.division import Divisions, evaluate_by_division
from circuits.family import Family
from translator.sentences import read_sentence
from translator.words import parse_word, split_alphabet


def family_of_file(formula: str, alphabet: str | None = None) -> Family:
    """The family of a sentence, given as text or as the path of a ``.fom`` file.

    Args:
        alphabet: the letters of the words, ``a,b,c``, by default those of the sentence.

    Raises:
        FomError: a file that cannot be read, a syntax error, a letter outside the alphabet, more than one free variable, or a
            sentence that no family decides.
    """
    from logic.sentence_to_family import sentence_to_family

    return sentence_to_family(read_sentence(formula, None if alphabet is None else split_alphabet(alphabet)))


def circuit_of_file(formula: str, length: int, alphabet: str | None = None) -> Circuit:
    """The circuit of a sentence for one length.

    Raises:
        FomError: as `family_of_file`, or a length below 1.
    """
    return instantiate(family_of_file(formula, alphabet), length)


def decide_by_division(formula: str, word: str, alphabet: str | None = None) -> tuple[list[int], Divisions]:
    """What a sentence says of a word, or of each of its positions, found by division.

    Raises:
        FomError: as `family_of_file`, a sentence of propositions, or a word that the circuit does not read.
    """
    family = family_of_file(formula, alphabet)
    if family.inputs:
        raise fail("T077", "the sentence reads propositions, not words", help="evaluate it with fom eval --true p,q")
    letters = parse_word(word, family.alphabet)
    decisions, divisions = evaluate_by_division(instantiate(family, len(letters)), letters[None])
    return decisions[0].ravel().tolist(), divisions
