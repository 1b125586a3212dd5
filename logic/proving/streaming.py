"""Circuit = sentence, from the sentence's file: chunk by chunk, never holding all definitions, in several processes.

The file is read twice. The first reading (`logic.proving.statements`) finds where the definitions of each entry stand, and their
names, kinds and arities. The second takes chunks: what a chunk uses from above is declared by the first reading, plain lines are
read at once (`logic.proving.plain_lines`), all others by the parser, checked, and compared as in
`logic.proving.circuit_sentence`. By induction along the file the chunks together are the whole sentence. A file of another
layout, or with any error in it, is parsed as a whole instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from circuits.diagnostics import FomError
from circuits.entries import Accumulator, Entry, Gates, label
from circuits.family import Family
from logic.parser import parse, parse_definitions
from logic.printer import NAME
from logic.proving.circuit_sentence import MOST_OPEN, CircuitSentence, prove_circuit_sentence
from logic.proving.digests import digest, prover
from logic.proving.equivalence import Equivalence
from logic.proving.family_forms import FamilyForms, needed_elements
from logic.proving.ledger import Ledger, Step
from logic.proving.parallel import run
from logic.proving.plain_lines import PlainLines
from logic.proving.session import Record, proof_of
from logic.proving.statements import Chunk, Index, Irregular, index_of
from logic.semantics import deep_recursion
from logic.syntax import TRUE, Sentence
from logic.telling import Progress, silent
from logic.verdicts import Proof


def prove_circuit_file(
    family: Family,
    path: Path,
    progress: Progress = silent,
    readout: str | None = None,
    jobs: int = 1,
    ledger: Ledger | None = None,
) -> Proof:
    """Prove that the sentence in a file defines every element that the family's decision needs, and decides a decision bit.

    The same proof as `prove_circuit_sentence` of the parsed file.

    Args:
        progress: called with one line for every stage.
        readout: the decision bit that the last formula must be; by default any.
        jobs: how many processes compare chunks at the same time.
        ledger: proofs of before, which are not repeated, and to which new ones are added.

    Raises:
        FomError: the file cannot be read, has a syntax error, or is no well-formed sentence.
    """
    try:
        stream = Stream(family, path, progress, readout)
        return stream.run(jobs, ledger)
    except (Irregular, FomError, OSError, UnicodeDecodeError):
        progress("reading the sentence as a whole")
        return prove_circuit_sentence(family, whole(path), progress, readout)


def whole(path: Path) -> Sentence:
    """Parse a file."""
    from circuits.diagnostics import fail

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail("L090", f"the sentence cannot be read: {error}", where=str(path)) from None
    return parse(text, str(path))


@dataclass
class Stream:
    """One proof from a file: the index, and what the family's decision needs."""

    family: Family
    path: Path
    progress: Progress
    readout: str | None
    index: Index = field(init=False)
    letters: tuple[str, ...] = field(init=False)
    propositions: tuple[str, ...] = field(init=False)
    last: str = field(init=False)

    def __post_init__(self) -> None:
        self.index = index_of(self.path, self.family)
        if not self.index.header:
            raise Irregular("there is no header")
        header = parse(self.index.header + "true", str(self.path))
        self.letters, self.propositions = header.letters, header.propositions
        self.needed = needed_elements(self.family)
        self.equivalence = Equivalence(self.family.domain, self.family.alphabet)
        self.theirs = FamilyForms(self.family)
        self.last = self.text(self.index.last, None)

    def text(self, start: int, end: int | None) -> str:
        """Some bytes of the file."""
        with self.path.open("rb") as file:
            file.seek(start)
            return (file.read() if end is None else file.read(end - start)).decode("utf-8")

    def run(self, jobs: int, ledger: Ledger | None) -> Proof:
        """Compare all chunks, and the last formula.

        Raises:
            FomError: the sentence has an error.
        """
        unusable = self.checker(Sentence(self.letters, self.propositions, (), TRUE)).unusable()
        if unusable:
            return Proof((), tuple(unusable))
        chunks = self.index.chunks
        context = self.context()
        known: dict[int, Record] = {}
        keys: list[str] = []
        for number, chunk in enumerate(chunks):
            keys.append(self.key(chunk, context) if ledger is not None else "")
            found = ledger.find(keys[number]) if ledger is not None else None
            if found is not None:
                known[number] = Record(found)
        left = [number for number in range(len(chunks)) if number not in known]
        total = sum(int(mask.sum()) for mask in self.needed.values())
        self.progress(f"comparing {total:,} definitions with the circuit")
        sizes = [float(chunks[number].end - chunks[number].start) for number in left]
        for place, record in run(self.compare, left, jobs, sizes):
            number = left[place]
            known[number] = record
            self.progress(f"`{chunks[number].entry}`")
            if ledger is not None and not record.open:
                ledger.put(keys[number], record.steps)
        records = [known[number] for number in range(len(chunks))]
        return proof_of([*records, self.undefined(), self.decision()], MOST_OPEN)

    def context(self) -> str:
        """The digest of all names that the sentence defines, with their kinds, arities and chunks."""
        known = [(key, one.chunk, one.is_sum, one.arity) for key, one in self.index.known.items()]
        shared = (self.family.domain, self.family.alphabet, self.family.inputs, self.letters, self.propositions)
        return digest(prover(), shared, known, [(name, *found) for name, found in self.index.others.items()])

    def key(self, chunk: Chunk, context: str) -> str:
        """The digest of what is claimed of a chunk: its text, its entry, and the names of the entries that this reads."""
        entry = self.family.by_name.get(chunk.entry)
        read = entry.wires if isinstance(entry, Gates | Accumulator) else ()
        sources = [self.family.by_name[wires.source] for wires in read]
        named = [(type(one).__name__, one.name, one.base, one.size, one.n_positions) for one in sources]
        needed = self.needed[chunk.entry][chunk.elements] if entry is not None else None
        return digest("circuit=sentence", context, entry, named, needed, self.text(chunk.start, chunk.end))

    def checker(self, sentence: Sentence) -> CircuitSentence:
        """The comparison of some definitions; questions to the solver and what was read of the family are remembered."""
        check = CircuitSentence(self.family, sentence, silent, self.readout)
        check.equivalence, check.theirs = self.equivalence, self.theirs
        return check

    # One chunk.

    def compare(self, number: int) -> Record:
        """Compare the definitions of one chunk.

        Raises:
            FomError: they have an error.
        """
        chunk = self.index.chunks[number]
        plain = PlainLines(self.index, number, self.letters, self.propositions)
        entry = self.family.by_name.get(chunk.entry)
        fits = entry is not None and self.fits(entry, chunk)
        forms, rest = {}, []
        for line in self.text(chunk.start, chunk.end).splitlines(keepends=True):
            if line.startswith("--") or not line.strip():
                continue
            found = plain.read(line) if fits else None
            if found is None:
                rest.append(line)
            else:
                forms[found[0]] = found[1]
        sentence, _ = self.parsed("".join(rest) + "true", number)
        check = self.checker(sentence)
        check.forms = forms
        if entry is None:
            return Record(())
        elements = chunk.elements[self.needed[entry.name][chunk.elements]]
        if len(elements):
            with deep_recursion():
                check.entry(entry, elements.tolist())
        opened = (*check.open, *(["and more definitions"] if check.silenced else []))
        return Record(tuple(Step((lemma,)) for lemma in check.lemmas), opened)

    def fits(self, entry: Entry, chunk: Chunk) -> bool:
        """Tell whether all definitions of a chunk have the kind and the arity of their entry."""
        known = self.index.known[entry.base, entry.name[len(entry.base) :]]
        kinds, arities = known.is_sum[chunk.elements], known.arity[chunk.elements]
        return bool((kinds == isinstance(entry, Accumulator)).all() and (arities == entry.n_positions).all())

    def parsed(self, text: str, number: int) -> tuple[Sentence, bool]:
        """Definitions and a formula below the definitions that they use, which are declared and mean nothing here.

        Also tells whether there are definitions in the text.

        Raises:
            FomError: there is an error in them.
        """
        used = sorted(set(NAME.findall(text)))
        stubs = [stub for name in used if (stub := self.index.stub(name, number)) is not None]
        known = Sentence(self.letters, self.propositions, tuple(stubs), TRUE)
        sentence = parse_definitions(text, known, str(self.path))
        sentence.check(str(self.path))
        return sentence, len(sentence.definitions) > len(stubs)

    # What no chunk shows.

    def undefined(self) -> Record:
        """The needed elements that the sentence does not define."""
        found = []
        for known in self.index.known.values():
            missing = np.flatnonzero(self.needed[known.entry.name] & (known.chunk < 0))
            found += [f"`{label(known.entry, element)}` is not defined" for element in missing[:MOST_OPEN].tolist()]
        return Record((), tuple(found))

    def decision(self) -> Record:
        """Find the decision bit that the last formula is.

        Raises:
            FomError: the formula has an error.
        """
        sentence, more = self.parsed(self.last, len(self.index.chunks))
        if more:
            raise Irregular("the last formula is not all that is left")
        check = self.checker(sentence)
        with deep_recursion():
            check.formula()
        return Record(tuple(Step((lemma,)) for lemma in check.lemmas), tuple(check.open))
