"""Properties of static networks decided on boxes of inputs: VNN-LIB files, and robustness around an input.

The claim is about the *fixed-precision* network, exactly: every input code whose value lies in the box, and the network's exact
outputs there. A code c of an input stands for ``c * step``; the outputs Y_i are the scores of the readout, over their common
denominator if there is one, or the words of a network that answers with numbers. A counterexample is evaluated again by the
definition of the nodes, and in onnxruntime on the numbers that its codes stand for; where that does not violate the property,
the violation is one of the precision, and the answer says so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import FomError, fail
from circuits.evaluate import evaluate, evaluate_as_defined
from circuits.inputs import decode_inputs, encode_inputs, input_limits
from circuits.network import Inputs, Network
from circuits.readout import decisions
from logic.boxes.bounding import require_static
from logic.boxes.questions import Inequality, Question
from logic.boxes.searching import Counts, Search
from logic.telling import Progress
from logic.verdicts import Claim, Counterexample, Holds, Lemma, Proof, Refuted, Unknown
from translator.oracle import Oracle
from translator.sides import Source
from translator.vnnlib import Case, InputBound, OutputInequality, Property, read_property

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Decided:
    """The claim, what the search did for each case, how many input codes the boxes have, and what a reader should know."""

    claim: Claim
    counts: tuple[Counts, ...]
    n_codes: int
    notes: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """The counts, ready for JSON."""
        totals = {
            "boxes": sum(one.boxes for one in self.counts),
            "evaluated": sum(one.codes for one in self.counts),
            "depth": max((one.depth for one in self.counts), default=0),
        }
        return {"input_codes": self.n_codes, **totals, "notes": list(self.notes)}


def decide_vnnlib(source: Source, path: Path, timeout_s: float, progress: Progress) -> Decided:
    """Decide the property of a VNN-LIB file for the fixed-precision network of a translation.

    Raises:
        FomError: the file is none, does not fit the network, or the network has positions or no value at some input.
    """
    return decide_property(source, read_property(path), path.name, timeout_s, progress)


def decide_robustness(
    source: Source, centre: Any, radius: Any, label: int | None, timeout_s: float, progress: Progress
) -> Decided:
    """Decide whether the decision stays the same in a box around an input; see `robustness_property`.

    Raises:
        FomError: as `decide_vnnlib` does.
    """
    given = robustness_property(source.network, centre, radius, label)
    name = f"robustness within {float(Fraction(radius)):g}"
    return decide_property(source, given, name, timeout_s, progress, of_scores=True)


def decide_property(
    source: Source, given: Property, name: str, timeout_s: float, progress: Progress, *, of_scores: bool = False
) -> Decided:
    """Decide a property; with `of_scores` its outputs are the scores even where the file applies a function to them.

    Raises:
        FomError: the property does not fit the network, or the network has positions or no value at some input.
    """
    started = time.monotonic()
    network = source.network
    outputs = Outputs.of(network, "" if of_scores else source.applied)
    require_fitting(network, given, outputs)
    deadline = started + timeout_s
    questions = [
        Question(*codes_within(network.inputs, case.box), tuple(map(outputs.integer_conjunction, case.violations)))
        for case in given.cases
    ]
    n_codes = sum(question.n_codes for question in questions)
    counts: list[Counts] = []
    lemmas: list[Lemma] = []
    open_: list[str] = []
    found: Refuted | None = None
    for number, (case, question) in enumerate(zip(given.cases, questions, strict=True), 1):
        title = f"box {number} of {len(questions)}"
        if not question.n_codes:
            open_.append(f"{title} has no input code: {where_empty(network.inputs, case.box)}")
            continue
        if question.n_codes and time.monotonic() > deadline:
            open_.append(f"{title}: the time is over")
            continue
        admits = in_codebooks(network.inputs) if any(node.codebook for node in network.inputs) else None
        search = Search(network, question, deadline, lambda text, title=title: progress(f"{title}: {text}"), admits)  # type: ignore[misc]
        outcome = search.run()
        counts.append(outcome.counts)
        if outcome.found is not None:
            found = Refuted(replayed(source, case, outputs, outcome.found))
            break
        said = (
            f"{title}: {outcome.counts.boxes:,} boxes to depth {outcome.counts.depth}, {outcome.counts.codes:,} codes"
        )
        if outcome.complete:
            lemmas.append(
                Lemma(f"{said} evaluated, no violation", "bounds", outcome.counts.boxes, outcome.counts.seconds)
            )
        else:
            open_.append(f"{said} evaluated, {outcome.counts.left:,} boxes open: {outcome.reason}")
    verdict = found or (Unknown("; ".join(open_)) if open_ else Holds(Proof(tuple(lemmas), ())))
    scope = f"every one of the {amount(n_codes)} input codes in {'the box' if len(questions) == 1 else 'the boxes'}"
    claim = Claim(
        "network", name, scope, "boxes", verdict, time.monotonic() - started, () if found else tuple(open_)
    )  # fmt: skip
    return Decided(claim, tuple(counts), n_codes, notes_on(network, given))


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the outputs Y_i of the file are in the network: a node over a denominator, before the function `applied`."""

    node: str
    size: int
    frac: int
    denominator: str | None
    denominator_frac: int
    applied: str

    @classmethod
    def of(cls, network: Network, applied: str) -> Outputs:
        """The outputs of a network.

        Raises:
            FomError: the network has positions, or the file answers with the number of a class.
        """
        require_static(network)
        readout = network.decided
        node = readout.decision if readout.kind == "value" else readout.scores
        denominator = None if readout.kind == "value" else readout.denominator
        if applied == "ArgMax":
            raise fail(
                "T116", "the file answers with the number of a class, so its output is no score to compare",
                help="cut the file off before ArgMax",
            )  # fmt: skip
        over = 0 if denominator is None else network.frac(denominator)
        return cls(node, network.by_name[node].size, network.frac(node), denominator, over, applied)

    def integer_conjunction(self, violation: Sequence[OutputInequality]) -> tuple[Inequality, ...]:
        """The same inequalities over the network's integers; an empty conjunction is one that always holds."""
        found = tuple(self.integer_inequality(one) for one in violation)
        return found or (Inequality(((self.node, (0,) * self.size),), 0),)

    def integer_inequality(self, given: OutputInequality) -> Inequality:
        """An inequality over the network's integers that holds exactly where the given one holds of the outputs.

        Raises:
            FomError: it cannot be said of the scores before the function that the file applies to them.
        """
        bound = self.before_applied(given)
        factors = dict(given.coefs)
        scaled = [factors.get(output, Fraction(0)) for output in range(self.size)]
        limit, over = bound * Fraction(2) ** self.frac, Fraction(0)
        if self.denominator is not None:
            over, limit = -bound * Fraction(2) ** (self.frac - self.denominator_frac), Fraction(0)
        common = math.lcm(*(number.denominator for number in [*scaled, over]))
        whole = tuple(int(number * common) for number in scaled)
        limit *= common
        integer = math.ceil(limit) - 1 if given.strict else math.floor(limit)
        coefs: tuple[tuple[str, tuple[int, ...]], ...] = ((self.node, whole),)
        if self.denominator is not None and over:
            coefs = (*coefs, (self.denominator, (int(over * common),)))
        return Inequality(coefs, integer)

    def before_applied(self, given: OutputInequality) -> Fraction:
        """The bound of the same inequality of the scores, where the file applies an increasing function to them.

        Raises:
            FomError: there is none.
        """
        factors = [factor for _, factor in given.coefs]
        if not self.applied or not factors:
            return given.bound
        if self.applied == "LogSoftmax" and sum(factors) == 0:
            return given.bound
        if self.applied == "Softmax" and len(factors) == 2 and sum(factors) == 0 and given.bound == 0:
            return given.bound
        if self.applied == "Sigmoid" and len(factors) == 1 and given.bound == factors[0] / 2:
            return Fraction(0)
        raise fail(
            "T116",
            f"the file ends in {self.applied}, and this inequality of its outputs is none of the scores before it",
            help="compare two outputs, or cut the file off before it",
        )

    def values(self, network: Network, codes: Integers) -> list[Fraction]:
        """The exact outputs at one input, before the function that the file applies, by the definition of the nodes."""
        wanted = [name for name in (self.node, self.denominator) if name is not None]
        found = evaluate_as_defined(network, codes[None], wanted)
        scores = [Fraction(score) / Fraction(2) ** self.frac for score in found[self.node].ravel().tolist()]
        if self.denominator is None:
            return scores
        over = Fraction(int(found[self.denominator].ravel()[0])) / Fraction(2) ** self.denominator_frac
        return [score / over for score in scores]


def require_fitting(network: Network, given: Property, outputs: Outputs) -> None:
    """Refuse a property with other numbers of inputs and outputs.

    Raises:
        FomError: with the numbers.
    """
    total = sum(node.size for node in network.inputs)
    shared = outputs.denominator is None or network.by_name[outputs.denominator].size == 1
    if (given.n_inputs, given.n_outputs) != (total, outputs.size) or not shared:
        raise fail(
            "T116",
            f"the property is about {given.n_inputs} inputs and {given.n_outputs} outputs, "
            f"the network has {total} and {outputs.size}",
            note="X_0, X_1, ... are the numbers of all inputs of the file in order, each in row-major order",
        )


def steps_of_inputs(inputs: Sequence[Inputs]) -> list[Fraction]:
    """For each number of the input, what one code stands for."""
    return [
        node.format.value(1) * (1 if node.scale is None else Fraction(node.scale))
        for node in inputs
        for _ in range(node.size)
    ]


def codes_within(inputs: Sequence[Inputs], box: Sequence[InputBound]) -> tuple[Integers, Integers]:
    """The least and the largest code of each number whose value lies in the box; a least above the largest where none does."""
    least, most = (bound.tolist() for bound in input_limits(inputs))
    low, high = [], []
    for step, bound, first, last in zip(steps_of_inputs(inputs), box, least, most, strict=True):
        start, end = bound.low / step, bound.high / step
        begin = math.floor(start) + 1 if bound.low_strict else math.ceil(start)
        stop = math.ceil(end) - 1 if bound.high_strict else math.floor(end)
        low.append(min(max(begin, first), last + 1))
        high.append(max(min(stop, last), first - 1))
    return np.array(low, dtype=np.int64), np.array(high, dtype=np.int64)


def where_empty(inputs: Sequence[Inputs], box: Sequence[InputBound]) -> str:
    """Say which input of a box without codes has none."""
    low, high = codes_within(inputs, box)
    number = int(np.nonzero(low > high)[0][0])
    step = steps_of_inputs(inputs)[number]
    bound = box[number]
    return f"X_{number} lies in {float(bound.low):g}..{float(bound.high):g} and its values are multiples of {float(step):g}"


def in_codebooks(inputs: Sequence[Inputs]) -> Callable[[Integers], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Which rows of codes are inputs, where only the codes of a codebook are."""
    return lambda codes: (encode_inputs(inputs, decode_inputs(inputs, codes)) == codes).all(axis=1)


def notes_on(network: Network, given: Property) -> tuple[str, ...]:
    """What the answer leaves out: the part of a box beyond the values that the input has."""
    steps, (least, most) = steps_of_inputs(network.inputs), (part.tolist() for part in input_limits(network.inputs))
    beyond = [
        number
        for number, (step, first, last) in enumerate(zip(steps, least, most, strict=True))
        if any(case.box[number].low < (first - 1) * step or case.box[number].high > (last + 1) * step for case in given.cases)
    ]  # fmt: skip
    if not beyond:
        return ()
    number = beyond[0]
    return (
        f"{len(beyond)} of the inputs are bounded by more than the network's numbers, first X_{number}, which has "
        f"{float(least[number] * steps[number]):g} to {float(most[number] * steps[number]):g}; what is beyond saturates",
    )


def replayed(source: Source, case: Case, outputs: Outputs, codes: Integers) -> Counterexample:
    """Evaluate a counterexample again, by definition and in onnxruntime.

    Raises:
        FomError: the definition does not agree that the property is violated.
    """
    network = source.network
    exact = outputs.values(network, codes)
    inside = all(
        holds_between(code * step, bound)
        for code, step, bound in zip(codes.tolist(), steps_of_inputs(network.inputs), case.box, strict=True)
    )
    if not inside or not violates(case, exact, outputs):
        raise fail("T099", "a counterexample was not confirmed by the definition of the network", help="report it")
    numbers = decode_inputs(network.inputs, codes[None])
    said: dict[str, Any] = {"network": [float(value) for value in exact]}
    try:
        readout = network.decided
        oracle = Oracle(source.model, readout.kind, readout.n_positions, source.applied, source.feeding)
        floats = oracle.logits(numbers)[0].tolist()
    except FomError as error:
        said["onnxruntime"] = error.diagnostics[0].message
    else:
        said["onnxruntime"] = floats
        if outputs.applied == source.applied and all(map(math.isfinite, floats)):
            unchanged = Outputs(outputs.node, outputs.size, 0, None, 0, "")
            violated = violates(case, [Fraction(value) for value in floats], unchanged)
            said["in float32"] = "violated too" if violated else "not violated: an artefact of the precision"
    return Counterexample(f"({', '.join(f'{value:.9g}' for value in numbers[0].tolist())})", said)


def holds_between(value: Fraction, bound: InputBound) -> bool:
    """Tell whether a number lies in an interval."""
    above = value > bound.low if bound.low_strict else value >= bound.low
    return above and (value < bound.high if bound.high_strict else value <= bound.high)


def violates(case: Case, values: Sequence[Fraction], outputs: Outputs) -> bool:
    """Tell whether exact outputs satisfy one of the violations of a case."""

    def holds(one: OutputInequality) -> bool:
        left, bound = (
            sum((factor * values[output] for output, factor in one.coefs), Fraction(0)),
            outputs.before_applied(one),
        )
        return left < bound if one.strict else left <= bound

    return any(all(map(holds, violation)) for violation in case.violations)


def robustness_property(network: Network, centre: Any, radius: Any, label: int | None = None) -> Property:
    """The property that every input within `radius` of `centre`, in every number, is decided as `label`.

    Its outputs are the network's scores. The centre is given as numbers; the label is the network's decision at the centre if
    it is None. Ties go to the lowest class, as the readout decides them.

    Raises:
        FomError: the network decides no class, or the label is none.
    """
    require_static(network)
    readout = network.decided
    if readout.kind == "value":
        raise fail("T116", "the network answers with numbers, so there is no class that could stay the same")
    total = sum(node.size for node in network.inputs)
    numbers = np.asarray(centre, dtype=np.float64).reshape(-1)
    if len(numbers) != total or not np.isfinite(numbers).all() or Fraction(radius) < 0:
        raise fail("T116", f"the centre is {total} numbers and the radius is not negative")
    if label is None:
        words = evaluate(network, encode_inputs(network.inputs, numbers[None]))[readout.decision]
        label = int(decisions(readout, network.word(readout.decision).format, words)[0])
    n_outputs, half = network.by_name[readout.scores].size, Fraction(radius)
    if not 0 <= label < max(readout.n_classes, 2):
        raise fail("T116", f"there is no class {label}", help=f"classes are 0 to {max(readout.n_classes, 2) - 1}")
    box = tuple(InputBound(Fraction(number) - half, Fraction(number) + half) for number in numbers.tolist())
    one, zero = Fraction(1), Fraction(0)
    if readout.kind == "logit":
        own = OutputInequality(((0, one),), zero) if label else OutputInequality(((0, -one),), zero, strict=True)
        return Property(total, n_outputs, (Case(box, ((own,),)),))
    violations = tuple(
        (OutputInequality(tuple(sorted([(label, one), (other, -one)])), zero, strict=other > label),)
        for other in range(n_outputs)
        if other != label
    )
    return Property(total, n_outputs, (Case(box, violations),))


def amount(number: int) -> str:
    """A count of codes for a reader."""
    return f"{number:,}" if number < 10**9 else f"{number / 10 ** (len(str(number)) - 1):.1f}e{len(str(number)) - 1}"
