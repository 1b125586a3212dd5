"""Speed as ratios: ``python -m benchmarks.speed [MODEL] [--words K] [--circuit-words K] [--plot FOLDER]``.

Everything is measured in one run and printed as a ratio to something else that ran in it: evaluation and simulation to
onnxruntime on the same words, wire-evaluations to the bandwidth of a copy. Rounds alternate between the sides, and the best of
each counts, so that a busy machine disturbs all of them alike. The network is ``examples/dyck1`` unless another file over two
letters is named: two layers, width 12. Growth is measured on stacked attention, and drawn where matplotlib is there.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from circuits.circuit import Circuit, instantiate
from circuits.evaluate import evaluate, evaluate_as_defined
from circuits.formats import BIT, Format
from circuits.matrices import identity, matrix
from circuits.network import (
    Affine,
    Domain,
    Letters,
    Maximum,
    Network,
    Node,
    Operand,
    Product,
    Quotient,
    Readout,
    Round,
    Sum,
    Table,
)
from circuits.network_to_family import network_to_family
from circuits.positions import LAST, AtLeast, Ref, var
from translator.pipeline import Translation, translate

ROOT = Path(__file__).resolve().parent.parent
NEAREST = ROOT / "examples" / "dyck1" / "model.onnx"
LENGTH = 16
ROUNDS = 3
BATCHES = (256, 1024, 4096)
SCREENED = 16  # the batch is chosen on every 16th word
COPIED_BYTES = 1 << 28
GROWTH_PLACES = 1 << 17
LARGE = (16, 8)
X, Y = var(0), var(1)


def stacked_attention(width: int, bits: int, layers: int, seed: int = 0) -> Network:
    """Layers of one causal head over `width` words of `bits` bits, each added to its input; two letters, two classes."""
    random = np.random.default_rng(seed)
    signed, positive = Format(bits, -(1 << bits - 1), bits // 2), Format(bits, 0, bits)
    zero, every = np.zeros(width, dtype=np.int64), np.arange(width)
    breaks = np.arange(-(1 << bits) + 1, 1, 4)
    codes = np.rint(np.linspace(0, positive.hi, len(breaks) + 1)).astype(np.int64)
    causal = AtLeast(X - Y)

    def dense(n_rows: int, n_columns: int) -> Any:
        weights = random.integers(-31, 32, (n_rows, n_columns))
        rows, columns = np.nonzero(weights)
        return matrix(rows, columns, weights[rows, columns], (n_rows, n_columns))

    below = Ref("w", (X,))
    nodes: list[Node] = [Letters("w", 2)]
    for layer in range(layers):
        at = f"l{layer}"
        read = (2 if layer == 0 else width, bits // 2 if layer == 0 else bits)
        score = (Operand(Ref(f"{at}.score", (X, Y)), identity(1)), Operand(Ref(f"{at}.most", (X,)), identity(1, -1)))
        nodes += [
            Affine(f"{at}.in", 1, width, (Operand(below, dense(width, read[0])),), zero, zero, bits // 2),
            Round(f"{at}.q", 1, width, Ref(f"{at}.in", (X,)), read[1] if layer else 0, signed),
            Product(f"{at}.qk", 2, Ref(f"{at}.q", (X,)), every, Ref(f"{at}.q", (Y,)), every, bits),
            Affine(f"{at}.s", 2, 1, (Operand(Ref(f"{at}.qk", (X, Y)), dense(1, width)),), zero[:1], zero[:1], bits),
            Round(f"{at}.score", 2, 1, Ref(f"{at}.s", (X, Y)), bits // 2, signed),
            Maximum(f"{at}.most", 1, 1, Ref(f"{at}.score", (X, Y)), np.zeros((1, 1), dtype=int), causal, (), signed),
            Affine(f"{at}.less", 2, 1, score, zero[:1], zero[:1], bits // 2),
            Table(f"{at}.e", 2, 1, Ref(f"{at}.less", (X, Y)), breaks, codes, positive),
            Product(f"{at}.ev", 2, Ref(f"{at}.e", (X, Y)), zero, Ref(f"{at}.q", (Y,)), every, bits + bits // 2),
            Sum(f"{at}.num", 1, width, Ref(f"{at}.ev", (X, Y)), causal, bits + bits // 2),
            Sum(f"{at}.den", 1, 1, Ref(f"{at}.e", (X, Y)), causal, bits),
            Quotient(f"{at}.head", 1, width, Ref(f"{at}.num", (X,)), Ref(f"{at}.den", (X,)), zero, 0, signed),
        ]
        below = Ref(f"{at}.head", (X,))
    last = Operand(Ref(below.node, (LAST,)), dense(2, width))
    nodes += [
        Affine("logits", 0, 2, (last,), zero[:2], zero[:2], bits // 2),
        Table("class", 0, 2, Ref("logits"), np.array([1]), np.array([0, 1]), BIT),
    ]
    found = Network(tuple(nodes), Readout("classes", "class", "logits", None, 2, 0), Domain(), ("a", "b"))
    found.check()
    return found


def words(n: int, count: int) -> Any:
    """`count` words of two letters, spread evenly over all of them; all of them if there are no more."""
    numbers = np.linspace(0, 2**n - 1, min(count, 2**n)).astype(np.int64)
    return numbers[:, None] >> np.arange(n) & 1


def seconds(run: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long one call takes."""
    started = clock()
    run()
    return clock() - started


@dataclass
class Side:
    """One way to decide words: seconds for each word, the best of the rounds so far."""

    name: str
    decide: Callable[[Any], Any]
    words: Any
    best: float = float("inf")

    def round(self) -> None:
        """Run once more."""
        self.best = min(self.best, seconds(lambda: self.decide(self.words)) / len(self.words))


def runtimes(translation: Translation, given: Any) -> Iterator[Side]:
    """Onnxruntime with optimizations off and on, on one thread and two, each with the batch that is best on a few words."""
    import onnxruntime

    levels = onnxruntime.GraphOptimizationLevel
    choices = (("off", levels.ORT_DISABLE_ALL), ("on", levels.ORT_ENABLE_ALL))
    for (optimized, level), threads in product(choices, (1, 2)):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(str(translation.model), options, providers=["CPUExecutionProvider"])

        def decide(inputs: Any, batch: int, session: Any = session) -> None:
            for start in range(0, len(inputs), batch):
                session.run(None, translation.feeding.inputs(session.get_inputs(), inputs[start : start + batch]))

        tried = [Side(str(batch), partial(decide, batch=batch), given[::SCREENED]) for batch in BATCHES]
        for side in tried * ROUNDS:
            side.round()
        best = min(tried, key=lambda side: side.best)
        name = f"onnxruntime, optimizations {optimized}, {threads} thread{'s' * (threads > 1)}, batch {best.name}"
        yield Side(name, best.decide, given)


def compare(path: Path, count: int, circuit_count: int) -> float:
    """Print how long each side takes for a word; returns the seconds of the circuit."""
    translation = translate(path)
    network = translation.network
    n = LENGTH if network.domain.admits(LENGTH) else network.domain.most or network.domain.least
    circuit = instantiate(translation.family, n)
    given, fewer = words(n, count), words(n, circuit_count)
    float_sides = list(runtimes(translation, given))
    fixed = Side("network, evaluate", lambda inputs: evaluate(network, inputs), given)
    defined = Side("network, evaluate_as_defined", lambda inputs: evaluate_as_defined(network, inputs), fewer)
    gates = Side("circuit, simulate", circuit.simulate, fewer)
    for _ in range(ROUNDS):
        for side in (*float_sides, fixed, gates):
            side.round()
    defined.round()
    base = min(side.best for side in float_sides)
    print(f"`{path.parent.name}/{path.name}`, {translation.precision}, n = {n}, {len(given):,} words", end="")
    print(f" ({len(fewer):,} of them by the circuit and by the definition), best of {ROUNDS} rounds\n")
    print("| side | µs for a word | times the fastest onnxruntime |\n|---|--:|--:|")
    for side in (*float_sides, fixed, defined, gates):
        print(f"| {side.name} | {side.best * 1e6:,.1f} | {side.best / base:,.2f} |")
    print(f"\nevaluate: {fixed.best / base:.2f} times onnxruntime (target 3): {verdict(fixed.best / base, 3)}")
    print(f"simulate: {gates.best / base:.1f} times onnxruntime (target 100): {verdict(gates.best / base, 100)}")
    print_rate(circuit, gates.best)
    return gates.best


def print_rate(circuit: Circuit, taken: float) -> None:
    """Print wire-evaluations for each second, and the bytes of one bit for each of them against a copy."""
    source = np.ones(COPIED_BYTES // 8)
    target = np.empty_like(source)
    copied = COPIED_BYTES / min(seconds(lambda: np.copyto(target, source)) for _ in range(5))
    wires, gates = circuit.family.wires(circuit.n), circuit.n_gates
    print(
        f"{wires:,} wires, {gates:,} gates: {wires / taken:.3g} wire-evaluations and {gates / taken:.3g} gate-", end=""
    )
    print(
        f"evaluations a second; a copy moves {copied:.3g} bytes a second: {wires / taken / copied:.2f} wires for a byte"
    )


def verdict(found: float, target: float) -> str:
    """Whether a figure stays below its target."""
    return "reached" if found <= target else "missed"


def written_out(width: int, bits: int, layers: int, n: int) -> tuple[int, int, float, float]:
    """Wires of the circuit, weights stored, seconds to write all blocks out, peak memory in GiB."""
    family = network_to_family(stacked_attention(width, bits, layers))
    started = time.perf_counter()
    circuit = instantiate(family, n)
    stored = sum(weights.nnz for block in circuit.blocks for _, weights in block.bundles)
    taken = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return family.wires(n), stored, taken, peak


def in_fresh_process(*arguments: int) -> tuple[int, int, float, float]:
    """`written_out` in a process of its own, whose peak memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(written_out, *arguments).result()


def instantiation() -> None:
    """Print how long large circuits take to write out, and their memory."""
    print("\n| attention, d = 16, p = 8 | wires | weights stored | s | weights a second | wires a second | peak GiB |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    figures = {}
    for n in (64, 66):
        wires, stored, taken, peak = in_fresh_process(*LARGE, 1, n)
        print(
            f"| n = {n} | {wires:,} | {stored:,} | {taken:.2f} | {stored / taken:.3g} | {wires / taken:.3g} | {peak:.2f} |"
        )
        figures[n] = wires, taken, peak
    print(f"\nn = 64 written out in {figures[64][1]:.2f} s (target 10): {verdict(figures[64][1], 10)}")
    print(f"{figures[66][0]:.3g} wires in {figures[66][2]:.2f} GiB (target 8): {verdict(figures[66][2], 8)}")
    print("shared sums are stored once: a wire is a pair of a gate and a bit, a weight is stored for each object read")


AXES: dict[str, tuple[str, tuple[int, ...]]] = {
    "n": ("length n", (4, 8, 16, 32, 64)),
    "width": ("width d", (2, 4, 8, 16, 32)),
    "layers": ("layers", (1, 2, 4, 8)),
    "bits": ("precision p, bits", (3, 4, 6, 8)),
}
MIDDLE = {"n": 16, "width": 8, "layers": 1, "bits": 4}
CURVES = ("wires", "weights stored", "write out, s", "simulate a word, s", "evaluate a word, s")


def point(n: int, width: int, layers: int, bits: int) -> tuple[float, ...]:
    """The five figures of one network at one length; seconds of the processor, which other work disturbs least."""
    network = stacked_attention(width, bits, layers)
    family = network_to_family(network)
    circuit = instantiate(family, n)
    taken = seconds(lambda: [block.bundles for block in circuit.blocks], time.process_time)
    stored = sum(weights.nnz for block in circuit.blocks for _, weights in block.bundles)
    given = np.random.default_rng(0).integers(0, 2, (max(16, GROWTH_PLACES // n**2), n))
    best = []
    for run in (circuit.simulate, partial(evaluate, network)):
        run(given)
        best.append(min(seconds(partial(run, given), time.process_time) for _ in range(ROUNDS)) / len(given))
    return (family.wires(n), stored, taken, *best)


def growth(folder: Path | None) -> None:
    """Print, and draw as log-log plots, how the figures grow with each parameter, the others in the middle."""
    found = {axis: [point(**{**MIDDLE, axis: value}) for value in values] for axis, (_, values) in AXES.items()}
    print("\nExponents between the last two points of each curve; elsewhere n = 16, d = 8, p = 4, one layer\n")
    print(f"| | {' | '.join(CURVES)} |\n|---|{'--:|' * len(CURVES)}")
    for axis, (title, values) in AXES.items():
        steps = np.log(values[-1] / values[-2])
        exponents = np.log(np.array(found[axis][-1]) / np.array(found[axis][-2])) / steps
        print(f"| {title}: {values[0]} to {values[-1]} | {' | '.join(f'{each:.2f}' for each in exponents)} |")
    if folder is not None:
        draw(found, folder / "growth.svg")


def draw(found: dict[str, list[tuple[float, ...]]], path: Path) -> None:
    """Draw one log-log panel for each parameter."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "growth"
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(2, len(AXES), figsize=(13, 6.4), layout="constrained", sharey="row", sharex="col")
    for place, (axis, (title, values)) in enumerate(AXES.items()):
        for row, chosen in enumerate((range(2), range(2, len(CURVES)))):
            panel = panels[row][place]
            for curve in chosen:
                panel.loglog(
                    values, [each[curve] for each in found[axis]], marker="o", markersize=4, label=CURVES[curve]
                )
            panel.grid(which="major", color="0.85")
            panel.set_xticks(values, [str(value) for value in values])
            panel.minorticks_off()
        panels[1][place].set_xlabel(title)
    for row, unit in enumerate(("count", "seconds")):
        panels[row][0].set_ylabel(unit)
        panels[row][0].legend(fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    print(f"\ndrawn: {path}")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", type=Path, default=NEAREST)
    parser.add_argument("--words", type=int, default=2**LENGTH, help="words for onnxruntime and the network")
    parser.add_argument("--circuit-words", type=int, default=1024, help="words for the circuit")
    parser.add_argument("--plot", type=Path, help="draw the growth into this folder")
    parser.add_argument("--only", choices=("compare", "instantiate", "growth"))
    given = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    if given.only in (None, "compare"):
        compare(given.model, given.words, given.circuit_words)
    if given.only in (None, "instantiate"):
        instantiation()
    if given.only in (None, "growth"):
        growth(given.plot)


if __name__ == "__main__":
    main()
