"""The pipeline: read, choose a precision, fix, build the family, read off the sentence.

Read aloud, `translate` is what the tool does; every step is a function of the step before.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuits.circuit import Circuit, instantiate
from circuits.diagnostics import FomError, fail
from circuits.family import Family
from circuits.forecast import Forecast, forecast
from circuits.network import Network
from circuits.network_text import network_to_text
from circuits.network_to_family import network_to_family
from circuits.sizes import Polynomial, size_polynomials
from circuits.weights import with_sign_matrices
from logic.family_to_sentence import decision_labels, default_decision, family_to_sentence
from logic.measure import Measures, measure
from logic.syntax import Sentence
from logic.telling import Progress, silent
from translator.certifying import with_certified
from translator.feeding import Feeding, feeding_of
from translator.fidelity import SCREEN_WORDS, Fidelity, InputSet, compare, consult, observe, restrict, words_up_to
from translator.fixing import fitted, fix
from translator.inputs import random_features, read_inputs
from translator.oracle import Oracle
from translator.precision import Precision, parse_precision
from translator.quantizers import first_quantizer
from translator.real import Map
from translator.words import joint_alphabet, parse_alphabet, split_alphabet

if TYPE_CHECKING:
    from translator.pure_dialect import PureSentence
    from translator.real import RealNetwork
    from translator.simplified import SimplifiedSentence


OPEN_PRECISIONS = ("fixed:*.16", "fixed:*.20", "fixed:*.24")
AUTO_PRECISIONS = (*(f"fixed:{bits}" for bits in range(4, 17)), "fixed:18", "fixed:20", *OPEN_PRECISIONS)
ASSUMED_LETTERS = 4
CODE_PRECISION, OTHER_PRECISION = Precision(8, None, 12), Precision(5, None, 9)
INTEGER_NOTE = "integer network: the words are the file's own codes, at every precision"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user can choose about a translation; the defaults choose for them.

    Attributes:
        precision: ``auto``, ``fixed:P``, ``fixed:P.F``, ``fixed:*.F`` or ``float:eEmM``.
        weight_bits: bits of a rounded weight, ``exact``, or ``auto``.
        depth: ``compact``, ``balanced`` or ``shallow``.
        readout: the decision bit that the sentence names (``class:2``, ``bit:7``), or None.
        max_length: longest words of the fidelity set, or None.
        where: a sentence that restricts the words considered, or None.
        alphabet: names of the letters, or None for a, b, c ...
        inputs: an .npz file of inputs for the fidelity set, or None.
        longest: bound on n where the file computes its positions (sinusoids, rotary), which become a table of that length.
        bind: values of graph inputs and of symbolic dimensions that are not part of the input; see `translator.feeding`.
        tracks: further graph inputs that become part of the letters, each "letters" or "bits".
        dialect: ``counting``, or ``majority`` or ``minimal`` for a sentence in pure FO(M) beside the counting one.
        simplify: make a simplified sentence beside the one that is read off.
        memory: refuse a translation forecast above this many bytes, or None for half of the machine's.
    """

    precision: str = "auto"
    weight_bits: str = "auto"
    depth: str = "compact"
    readout: str | None = None
    max_length: int | None = None
    where: str | None = None
    alphabet: str | None = None
    inputs: str | Path | None = None
    longest: int = 64
    bind: Mapping[str, Any] = field(default_factory=dict)
    tracks: Mapping[str, str] = field(default_factory=dict)
    dialect: str = "counting"
    simplify: bool = False
    memory: int | None = None


@dataclass(repr=False)
class Translation:
    """A network with its family and sentence, and how they came about."""

    model: Path
    settings: Settings
    precision: Precision
    network: Network
    family: Family
    sentence: Sentence
    fidelity: Fidelity
    forecast: Forecast
    tried: tuple[tuple[Precision, Fidelity | None], ...]
    notes: tuple[str, ...]
    applied: str = ""
    feeding: Feeding = field(default_factory=Feeding)
    seconds: dict[str, float] = field(default_factory=dict)
    pure: PureSentence | None = None
    simplified: SimplifiedSentence | None = None

    def circuit(self, n: int) -> Circuit:
        """The circuit for words of length n."""
        return instantiate(self.family, n)

    @cached_property
    def sizes(self) -> dict[str, Polynomial | None]:
        """Gates and wires as polynomials in n."""
        return size_polynomials(self.family)

    @cached_property
    def measures(self) -> Measures:
        """Size and ranks of the sentence."""
        return measure(self.sentence)

    @cached_property
    def oracle(self) -> Oracle:
        """Onnxruntime on the model."""
        readout = self.network.decided
        return Oracle(self.model, readout.kind, readout.n_positions, self.applied, self.feeding)

    def verify(self, **options: Any) -> Any:
        """Prove network = circuit = sentence; see `translator.verification.verify`."""
        from translator.verification import verify

        return verify(self, **options)

    def save(self, folder: str | Path) -> None:
        """Write the folder of a translation; see `translator.store.save`."""
        from translator.store import save

        save(self, Path(folder))

    def __repr__(self) -> str:
        return (
            f"<Translation of {self.model.name}: {self.precision}, {len(self.family.templates)} templates, "
            f"{len(self.sentence.definitions)} definitions>"
        )

    def _repr_html_(self) -> str:
        from translator.report import translation_html

        return translation_html(self)


def translate(model: str | Path, progress: Progress = silent, **options: Any) -> Translation:
    """Translate an ONNX file.

    Args:
        model: path of the file.
        progress: called with one line for every stage.
        options: the fields of `Settings`.

    Raises:
        FomError: the file or a setting cannot be used; nothing was written.
    """
    settings = Settings(**options)
    model = Path(model)
    seconds: dict[str, float] = {}
    clock = Stopwatch(seconds)
    chosen = parse_precision(settings.precision, settings.weight_bits)
    progress(f"reading {model}")
    network, alphabet = read_network(model, settings)
    clock.lap("read")

    feeding = feeding_of(network, settings.bind)
    decision = network.decision
    oracle = Oracle(model, decision.kind, decision.n_positions, decision.applied, feeding)
    inputs = fidelity_inputs(network, settings, alphabet)
    if not inputs.count:
        raise fail(
            "T042", "the fidelity set is empty", help="give --max-length, --where or --inputs that admit some input"
        )
    progress(f"running onnxruntime on {inputs.count:,} inputs ({inputs.description})")
    reference = consult(oracle, inputs)
    bounds = observe(network, inputs)
    clock.lap("fidelity")

    tried: list[tuple[Precision, Fidelity | None]] = []
    notes = network.notes
    if integers := integer_network(network, bounds, alphabet):
        notes = (*notes, INTEGER_NOTE)
    if chosen is None and integers:
        chosen, fixed = CODE_PRECISION, integers
        fidelity = compare(fixed, reference)
        tried.append((chosen, fidelity))
        progress(f"integer network: {fidelity.agree:,} of {fidelity.inputs:,} decisions agree ({fidelity.description})")
    elif chosen is None:
        chosen, fixed, fidelity = choose(network, settings, alphabet, oracle, reference, bounds, tried, progress)
    else:
        progress(f"fixing the precision at {chosen}")
        chosen, fixed = fitted(network, chosen, bounds, alphabet)
        notes = (*notes, *chosen.notes)
        fidelity = compare(fixed, reference)
    clock.lap("precision")
    progress("bounding errors")
    fidelity = with_certified(fidelity, network, fixed, inputs)
    fixed = with_sign_matrices(fixed)
    clock.lap("certify")

    expected = forecast(fixed, settings.depth)
    expected.require(settings.memory)
    progress(f"building the family ({expected})")
    family = network_to_family(fixed, settings.depth)
    clock.lap("build")
    progress("reading off the sentence")
    sentence = family_to_sentence(family, readout_label(family, settings.readout))
    clock.lap("emit")
    pure = None
    if settings.dialect != "counting":
        from translator.pure_dialect import pure_of

        progress("rewriting the sentence into pure FO(M)")
        pure = pure_of(sentence, settings.dialect, fixed.domain.least, fixed.domain.most)
        clock.lap("dialect")
    simplified = None
    if settings.simplify:
        from translator.simplified import simplified_of

        progress("simplifying the sentence, and proving it equal")
        simplified = simplified_of(sentence, decision_labels(family))
        clock.lap("simplify")
    return Translation(
        model,
        settings,
        chosen,
        fixed,
        family,
        sentence,
        fidelity,
        expected,
        tuple(tried),
        notes,
        decision.applied,
        feeding,
        seconds,
        pure,
        simplified,
    )


def read_network(model: Path, settings: Settings) -> tuple[RealNetwork, tuple[str, ...]]:
    """Read the file and name its letters.

    A network that computes with its letters as numbers does not say how many there are: without ``--alphabet`` the letters 0 to 3
    are assumed, which the result's notes say.

    Raises:
        FomError: the file cannot be used, or the alphabet does not fit.
    """
    from translator.reading import read

    choices: dict[str, Any] = {"longest": settings.longest, "bind": settings.bind, "tracks": settings.tracks}
    try:
        network = read(model, **choices)
    except FomError as error:
        if {diagnostic.code for diagnostic in error.diagnostics} != {"N060"}:
            raise
        letters = split_alphabet(settings.alphabet or " ".join(map(str, range(ASSUMED_LETTERS))))
        network = read(model, alphabet_size=len(letters), **choices)
        assumed = f"the letters are numbers and the file does not bound them: 0 to {len(letters) - 1} "
        assumed += "as given" if settings.alphabet else "are assumed (--alphabet says otherwise)"
        return replace(network, notes=(*network.notes, assumed)), letters
    for node in network.features:
        if node.n_positions:
            raise fail(
                "N012",
                f"the input `{node.name}` is a sequence of vectors of {node.size} real numbers",
                where=str(model),
                note="circuits and sentences read words over a finite alphabet, or numbers of a fixed count",
                help="export with token ids as the input, or fix the length by its symbol: --bind length=8",
            )
    if not network.alphabet_size:
        return network, ()
    if settings.alphabet is not None:
        return network, parse_alphabet(settings.alphabet, network.alphabet_size)
    return network, joint_alphabet([given.count for given in network.inputs])


def fidelity_inputs(network: RealNetwork, settings: Settings, alphabet: tuple[str, ...]) -> InputSet:
    """The inputs on which fidelity is measured: given data, all words up to a length, or random features.

    Raises:
        FomError: the data does not fit the network.
    """
    if settings.inputs is not None:
        return read_inputs(Path(settings.inputs), network)
    if not network.alphabet_size:
        return random_features(network)
    keep = None
    if settings.where is not None:
        from translator.domains import word_filter

        keep = word_filter(settings.where, alphabet)
    return words_up_to(network, settings.max_length, keep)


def integer_network(
    network: RealNetwork, bounds: dict[str, tuple[float, float]], alphabet: tuple[str, ...]
) -> Network | None:
    """The fixed network if all its words are codes of the file, so that no precision changes it; else None."""
    if not any(isinstance(node, Map) and first_quantizer(node.function) for node in network.nodes):
        return None
    try:
        least, most = (fix(network, precision, bounds, alphabet) for precision in (CODE_PRECISION, OTHER_PRECISION))
    except FomError:
        return None
    return least if network_to_text(least) == network_to_text(most) else None


def choose(
    network: RealNetwork,
    settings: Settings,
    alphabet: tuple[str, ...],
    oracle: Oracle,
    reference: Any,
    bounds: dict[str, tuple[float, float]],
    tried: list[tuple[Precision, Fidelity | None]],
    progress: Progress,
) -> tuple[Precision, Network, Fidelity]:
    """The smallest precision whose decisions all agree with onnxruntime, else the one that came closest.

    Words of 4 to 16 bits are tried first, then words of any number of bits with more and more fractional bits, as long as a
    circuit of them is forecast to fit. A precision that already fails on a sample is not run on the whole set. Agreement is
    tested, not certified, and is not monotone in the precision.
    """
    screen = restrict(reference, reference.inputs.sample(SCREEN_WORDS), oracle)
    best: tuple[Precision, Network, Fidelity] | None = None
    precisions = [found for text in AUTO_PRECISIONS if (found := parse_precision(text, settings.weight_bits))]
    for precision in precisions:
        try:
            fixed = fix(network, precision, bounds, alphabet)
            fidelity = compare(fixed, screen)
            if fidelity.complete and screen is not reference:
                fidelity = compare(fixed, reference)
            closer = best is None or fidelity.agree * best[2].inputs > best[2].agree * fidelity.inputs
            if precision.is_open and closer:
                forecast(fixed, settings.depth).require(settings.memory)
        except FomError as error:
            if best is None or (error.diagnostics[0].code != "C026" and not precision.is_open):
                raise
            tried.append((precision, None))
            progress(f"{precision}: {error.diagnostics[0].message}")
            continue
        tried.append((precision, fidelity))
        progress(f"{precision}: {fidelity.agree:,} of {fidelity.inputs:,} decisions agree ({fidelity.description})")
        if closer:
            best = (precision, fixed, fidelity)
        if fidelity.complete:
            break
    if best is None:
        raise fail("T043", "no precision could be tried", help="choose one, e.g. --precision fixed:8")
    precision, fixed, fidelity = best
    if fidelity.inputs != reference.inputs.count:
        fidelity = compare(fixed, reference)
    return precision, fixed, fidelity


def readout_label(family: Family, readout: str | None) -> str:
    """The relation that the sentence decides, from ``class:C`` or ``bit:K``, or the default.

    Raises:
        FomError: there is no such class or bit.
    """
    labels = decision_labels(family)
    if readout is None:
        return labels[default_decision(family)]
    kind, _, number = readout.partition(":")
    wanted = "class" if family.readout.kind == "classes" else "bit"
    if kind != wanted or not number.isdigit() or int(number) >= len(labels):
        raise fail(
            "T044", f"unknown readout `{readout}`", help=f"this network has {wanted}:0 to {wanted}:{len(labels) - 1}"
        )
    return labels[int(number)]


class Stopwatch:
    """Seconds between laps, by name."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self.last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Record the time since the last lap."""
        now = time.perf_counter()
        self.seconds[name] = round(now - self.last, 3)
        self.last = now
