"""Write the circuit of a family for one length in any of the formats, to a stream or, atomically, to a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, get_args

from circuits import wiring
from circuits.bases.flat import circuit_to_flat
from circuits.bases.majority import flat_to_majority
from circuits.bases.to_aig import Thresholds, circuit_to_aig
from circuits.circuit import Circuit, instantiate
from circuits.diagnostics import fail
from circuits.drawing import data_to_svg
from circuits.exchange.aiger import write_aiger
from circuits.exchange.blif import write_blif
from circuits.exchange.opb import write_opb
from circuits.exchange.ports import ports_of
from circuits.exchange.verilog import write_majority, write_verilog
from circuits.exchange.verilog_gates import write_verilog_gates
from circuits.family import Family
from circuits.sizes import size_polynomials
from translator.files import replacing_file

GATES = {
    "json": ("threshold",),
    "dot": ("threshold",),
    "svg": ("threshold",),
    "aiger": ("and",),
    "aag": ("and",),
    "blif": ("and",),
    "verilog": ("threshold", "majority", "and"),
    "opb": ("threshold",),
}
"""The formats, each with the kinds of gates that it is written with, its own first."""

TEXTS = {"json": wiring.data_to_json, "dot": wiring.data_to_dot, "svg": data_to_svg}
MOST_GATES = 20_000_000


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the kind of gates, how many there are, and how deep the circuit is."""

    gates: str
    n_gates: int
    depth: int


def write_circuit(
    family: Family,
    n: int,
    form: str,
    out: BinaryIO,
    *,
    gates: str | None = None,
    thresholds: str | None = None,
    assertion: str | None = None,
) -> Written:
    """Write a circuit.

    Args:
        form: a key of `GATES`; "aiger" is the binary form and "aag" the text form of AIGER.
        gates: "threshold", "majority" or "and"; by default what the format is made for.
        thresholds: how ANDs make a threshold gate, "adder" (the default) or "sorter".
        assertion: for OPB, the decision that is asserted, such as ``class=1``.

    Raises:
        FomError: an option that does not fit the format, a length outside the domain, or a circuit too large to be written.
    """
    kind = gates_of(form, gates, thresholds, assertion)
    writer, written = prepare(family, n, form, kind, thresholds or "adder", assertion)
    writer(out)
    return written


def save_circuit(
    family: Family,
    n: int,
    form: str,
    path: Path,
    *,
    gates: str | None = None,
    thresholds: str | None = None,
    assertion: str | None = None,
) -> Written:
    """Write a circuit to a file, which is replaced only when everything has been written; options as for `write_circuit`.

    Raises:
        FomError: as `write_circuit`, or the file cannot be written.
    """
    with replacing_file(path) as out:
        return write_circuit(family, n, form, out, gates=gates, thresholds=thresholds, assertion=assertion)


def gates_of(form: str, gates: str | None, thresholds: str | None, assertion: str | None) -> str:
    """The kind of gates that is written.

    Raises:
        FomError: the format is unknown, or an option does not fit it.
    """
    if form not in GATES:
        raise fail("T070", f"unknown format `{form}`", help=f"write one of {', '.join(GATES)}")
    kind = gates or GATES[form][0]
    if kind not in GATES[form]:
        raise fail(
            "T079",
            f"the format `{form}` is not written with {kind} gates",
            note=f"it is written with {' or '.join(GATES[form])} gates",
            help="; ".join(f"{name}: {', '.join(kinds)}" for name, kinds in GATES.items()),
        )
    if thresholds is not None and kind != "and":
        raise fail(
            "T079",
            f"{kind} gates are not made of ANDs, so `{thresholds}` says nothing",
            help="write AND gates, or leave the construction of thresholds out",
        )
    if thresholds is not None and thresholds not in get_args(Thresholds):
        raise fail("T070", f"unknown construction of thresholds `{thresholds}`", help="write adder or sorter")
    if assertion is not None and form != "opb":
        raise fail("T079", f"the format `{form}` states no assertion", help="write the format opb")
    return kind


def prepare(
    family: Family, n: int, form: str, kind: str, thresholds: str, assertion: str | None
) -> tuple[Callable[[BinaryIO], None], Written]:
    """Build what is written.

    Returns:
        A function that writes it, and its sizes.
    """
    if form in TEXTS:
        most, what = (wiring.MOST_WIRES, "a file") if form == "json" else (wiring.MOST_DRAWN, "a drawing")
        wiring.require_small(family, n, size_polynomials(family)["wires"], most, what)
        data = wiring.circuit_to_data(family, n)
        text = TEXTS[form](data)
        return partial(write_text, text), Written(kind, data["gates"], data["depth"])
    require_few_gates(family, n)
    circuit = instantiate(family, n)
    if kind == "and":
        return prepare_ands(circuit, form, thresholds)
    if kind == "majority":
        majority = flat_to_majority(circuit_to_flat(circuit))
        sizes = Written(kind, majority.n_gates, majority.depth)
        return lambda out: write_majority(out, majority, ports_of(circuit)), sizes
    sizes = Written(kind, circuit.n_gates, circuit.depth)
    if form == "opb":
        return lambda out: write_opb(out, circuit, assertion), sizes
    return lambda out: write_verilog(out, circuit), sizes


def prepare_ands(circuit: Circuit, form: str, thresholds: str) -> tuple[Callable[[BinaryIO], None], Written]:
    """Build the circuit of ANDs that is written."""
    aig = circuit_to_aig(circuit, "adder" if thresholds == "adder" else "sorter")
    ports = ports_of(circuit)
    sizes = Written("and", aig.n_ands, aig.depth)
    if form == "blif":
        return lambda out: write_blif(out, aig, ports), sizes
    if form == "verilog":
        return lambda out: write_verilog_gates(out, aig, ports), sizes
    return lambda out: write_aiger(out, aig, ports, text=form == "aag"), sizes


def write_text(text: str, out: BinaryIO) -> None:
    """Write a text."""
    out.write(text.encode())


def require_few_gates(family: Family, n: int) -> None:
    """Refuse what would not fit in memory, before it is built.

    Raises:
        FomError: with the numbers.
    """
    family.domain.require(n)
    count = family.gates(n)
    if count > MOST_GATES:
        raise fail(
            "T072",
            f"the circuit for n = {n} has {count:,} gates; a file holds at most {MOST_GATES:,}",
            help="choose a shorter --length, or translate with a lower --precision",
        )
