"""The scope of a verification: which lengths, words and positions are considered, and how they are named."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from circuits.diagnostics import FomError, fail
from circuits.inputs import input_limits
from circuits.network import Network
from circuits.pairs import common_domain
from circuits.words import all_words
from logic.syntax import Sentence
from translator.sentences import read_sentence
from translator.verifying.question import DEFAULT_LENGTH, Question

Integers = np.ndarray[Any, np.dtype[np.int64]]

CHUNK = 1 << 12


class Scope:
    """The inputs that a question about a network considers.

    Attributes:
        static: whether the network reads an input of fixed size, which has no length.
        domain: the lengths that the network accepts, and the one that it is compared with, if any.
        lengths: the lengths asked for, of the domain.
        where: the sentence of the words considered, or None.
        at: the formula of the positions considered, or None.
        restriction: further words for the scope, such as the classes compared.

    Raises:
        FomError: a restriction that does not fit the network, or no length of its domain.
    """

    def __init__(self, network: Network, question: Question, other: Network | None = None) -> None:
        self.network = network
        self.question = question
        self.static = bool(network.inputs)
        self.domain = network.domain if other is None else common_domain(network.domain, other.domain)
        if self.static and (question.where is not None or question.at is not None):
            raise fail(
                "T061", "--where and --at restrict words, and this network reads an input of fixed size",
                where=question.where or question.at or "", help="leave them out; --property FILE.vnnlib has bounds for inputs",
            )  # fmt: skip
        self.where = self.read_where()
        self.at = self.read_at()
        self.lengths = self.lengths_asked()
        self.restriction = ""

    def read_where(self) -> Sentence | None:
        """The words considered, from ``--where``."""
        from translator.domains import read_domain

        return None if self.question.where is None else read_domain(self.question.where, self.network.alphabet)

    def read_at(self) -> Sentence | None:
        """The positions compared, from ``--at``."""
        if self.question.at is None:
            return None
        sentence = read_sentence(self.question.at, self.network.alphabet, "network")
        if len(sentence.free) != 1 or self.network.decided.n_positions != 1:
            raise fail(
                "T062", "--at takes a formula with one free variable, for a network that answers at every position",
                where=self.question.at, help="leave out --at, or name the position x: --at 'x > 1'",
            )  # fmt: skip
        return sentence

    def lengths_asked(self) -> list[int]:
        """The lengths of the scope."""
        domain = self.domain
        if self.static:
            return [1]
        if domain.most is not None and domain.most < domain.least:
            raise fail("T063", "the two networks accept no common length", help="see their domains: fom show DIR")
        most = self.question.max_length if self.question.max_length is not None else DEFAULT_LENGTH
        if domain.most is not None:
            most = min(most, domain.most)
        if domain.least == domain.most:
            most = domain.least
        if most < domain.least:
            raise fail("T063", f"no word of the domain is as short as {most}", note=domain.reason)
        return list(range(domain.least, most + 1))

    @property
    def text(self) -> str:
        """The scope asked for, in words."""
        if self.static:
            return "every input"
        if self.question.all_lengths and not self.covers_domain:
            return "every length"
        return self.restricted(self.lengths)

    @property
    def covers_domain(self) -> bool:
        """Tell whether the lengths asked for are all that the network accepts."""
        return self.domain.most is not None and self.lengths[-1] >= self.domain.most

    def restricted(self, lengths: list[int]) -> str:
        """Lengths with the words, positions and classes considered, in words."""
        return span(lengths) + self.restrictions

    @property
    def restrictions(self) -> str:
        """The words, positions and classes considered, in words; nothing if these are all."""
        where = f", where {self.question.where}" if self.question.where else ""
        return where + (f", at {self.question.at}" if self.question.at else "") + self.restriction

    @property
    def everywhere(self) -> str:
        """The whole domain, in words."""
        domain = self.domain
        if self.static:
            return "every input"
        if domain.least == domain.most:
            return f"n = {domain.most}, the only length of the domain"
        return f"every n in the domain (n <= {domain.most})" if domain.most is not None else "every length n"

    def inputs(self, n: int) -> Iterator[Integers]:
        """All inputs of a length that are considered, in batches."""
        if self.static:
            low, high = input_limits(self.network.inputs)
            ends = np.cumsum(self.input_bits)
            total = 1 << int(ends[-1])
            for numbers in np.array_split(np.arange(total), max(1, total // CHUNK)):
                yield (numbers[:, None] >> (ends - self.input_bits)) % (high - low + 1) + low
            return
        for words in all_words(len(self.network.alphabet), n, CHUNK):
            kept = self.kept(words)
            if len(kept):
                yield kept

    def kept(self, words: Integers) -> Integers:
        """The words of a batch that are considered."""
        from logic.batch import evaluate

        if self.where is None:
            return words
        found: Integers = words[np.asarray(evaluate(self.where, words)[""], dtype=bool)]
        return found

    @cached_property
    def input_bits(self) -> Integers:
        """The bits of every number of a static input."""
        return np.repeat(
            [node.format.bits for node in self.network.inputs], [node.size for node in self.network.inputs]
        )

    def rows_considered(self, differs: Any, *words: Integers) -> Any:
        """The rows, of ``(B,)`` or ``(B, n)``, on which something differs at a position considered in all words: ``(B,)``."""
        from logic.batch import evaluate

        if self.at is not None:
            for batch in words:
                differs = differs & np.asarray(evaluate(self.at, batch)[""], dtype=bool)
        return differs.reshape(len(differs), -1).any(axis=1)

    def no_words(self) -> FomError:
        """The diagnostic for a scope without words: a claim about nothing would hold."""
        return fail(
            "T063",
            f"no word of the scope ({span(self.lengths)}) satisfies --where",
            where=self.question.where or "",
            help="ask for longer words, or restrict less",
        )


def span(lengths: list[int]) -> str:
    """A range of lengths in words."""
    return f"n = {lengths[0]}" if len(lengths) == 1 else f"n = {lengths[0]}..{lengths[-1]}"
