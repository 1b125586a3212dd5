"""Programs that know nothing of fom read its circuits and agree with them: ABC, Yosys, Icarus Verilog, clasp.

`make interop` installs them and runs these tests. Without them the tests fail and say what is missing. With
``INTEROP_TABLE=FILE`` a table is written of what was compared: files, their sizes, who accepted them, the inputs compared.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from circuits.aig import Aig
from circuits.bases.ports import decision_words, input_matrix
from circuits.exchange.aiger import read_aiger
from circuits.exchange.blif_reader import read_blif
from circuits.exchange.ports import Ports, ports_of
from tests.interop.networks import CASES, SMALL, Case, answers_of, bits_of, circuit_of, file_of, inputs_of, texts

pytestmark = pytest.mark.interop
each = pytest.mark.parametrize("case", CASES, ids=str)
each_small = pytest.mark.parametrize("case", SMALL, ids=str)

SIMULATED = 12
"""How many inputs an event-driven simulator is given: it follows every change on its way, and a deep circuit has many."""

SUMS = (*SMALL, CASES[-1])

ROWS: list[str] = []


def run(program: str, *arguments: object) -> str:
    """What a program prints; it has to be there and to succeed."""
    if shutil.which(program) is None:
        pytest.fail(f"`{program}` is missing; `make interop` installs it")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in ((10, 20, 30) if program == "clasp" else (0,)), done.stdout + done.stderr
    return done.stdout


def written(case: Case, form: str, path: Path, **options: str) -> Path:
    """Write a circuit, taking the time."""
    start = time.perf_counter()
    file_of(case, form, path, **options)
    seconds = time.perf_counter() - start
    shown = " ".join([form, *options.values()])
    ROWS.append(f"| {case} | {shown} | {path.stat().st_size:,} | {seconds:.2f} |")
    return path


def accepted(program: str, compared: str) -> None:
    """Note who has read the last file, and what was compared."""
    ROWS[-1] += f" {program} | {compared} |"


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Write the table of what was compared."""
    yield
    if "INTEROP_TABLE" in os.environ:
        head = ["| network | format | bytes | seconds | read by | compared |", "|---|---|---|---|---|---|"]
        complete = [row for row in ROWS if row.count("|") == 7]
        Path(os.environ["INTEROP_TABLE"]).write_text("\n".join([*head, *complete]) + "\n", encoding="utf-8")


def assert_same_answers(case: Case, aig: Aig, ports: Ports) -> None:
    """A graph that was read back computes the circuit's decisions on the random inputs; ports are found by name."""
    circuit, wanted = circuit_of(case), ports_of(circuit_of(case))
    bits = bits_of(case)[:, [wanted.inputs.index(name) for name in ports.inputs]]
    outputs = aig.evaluate(bits)[:, [ports.outputs.index(name) for name in wanted.outputs]]
    assert (decision_words(circuit, outputs) == answers_of(case, inputs_of(case))).all()


@each
def test_abc_reads_aiger_and_writes_blif(case: Case, tmp_path: Path) -> None:
    given, back = written(case, "aiger", tmp_path / "c.aig"), tmp_path / "back.blif"
    run("berkeley-abc", "-q", f"read {given}; strash; dc2; write_blif {back}")
    assert_same_answers(case, *read_blif(back.read_bytes(), str(back)))
    accepted("ABC", f"BLIF of ABC on {len(inputs_of(case))} inputs")


@each
def test_abc_finds_blif_equal_to_aiger(case: Case, tmp_path: Path) -> None:
    aiger = written(case, "aiger", tmp_path / "c.aig")
    blif = written(case, "blif", tmp_path / "c.blif")
    assert "Networks are equivalent" in run("berkeley-abc", "-q", f"cec {aiger} {blif}")
    accepted("ABC", "proved equal to AIGER")


@each
def test_yosys_reads_the_text_form_of_aiger(case: Case, tmp_path: Path) -> None:
    binary = written(case, "aiger", tmp_path / "c.aig")
    text, back = written(case, "aag", tmp_path / "c.aag"), tmp_path / "back.aig"
    run("yosys", "-q", "-p", f"read_aiger {text}; aigmap; write_aiger -symbols {back}")
    assert_same_answers(case, *read_aiger(back.read_bytes(), str(back)))
    assert "Networks are equivalent" in run("berkeley-abc", "-q", f"cec {binary} {back}")
    accepted("Yosys", f"AIGER of Yosys on {len(inputs_of(case))} inputs, proved equal by ABC")


@each
def test_yosys_reads_blif(case: Case, tmp_path: Path) -> None:
    blif, back = written(case, "blif", tmp_path / "c.blif"), tmp_path / "back.aig"
    run("yosys", "-q", "-p", f"read_blif {blif}; techmap; aigmap; opt_clean; write_aiger -symbols {back}")
    assert_same_answers(case, *read_aiger(back.read_bytes(), str(back)))
    accepted("Yosys", f"AIGER of Yosys on {len(inputs_of(case))} inputs")


@pytest.mark.parametrize(
    ("case", "gates"),
    [*((case, "and") for case in CASES), *((case, gates) for case in SUMS for gates in ("threshold", "majority"))],
    ids=str,
)
def test_verilog_simulates_as_the_circuit(case: Case, gates: str, tmp_path: Path) -> None:
    verilog = written(case, "verilog", tmp_path / "c.v", gates=gates)
    ports, bits = ports_of(circuit_of(case)), bits_of(case)[:SIMULATED]
    (tmp_path / "inputs").write_text("\n".join(texts(bits)) + "\n")
    connections = [f".{name}(x[{k}])" for k, name in enumerate(reversed(ports.inputs))]
    connections += [f".{name}(y[{k}])" for k, name in enumerate(reversed(ports.outputs))]
    bench = f"""module bench;
      reg [{len(ports.inputs) - 1}:0] x, given [0:{len(bits) - 1}]; wire [{len(ports.outputs) - 1}:0] y; integer i;
      circuit c ({", ".join(connections)});
      initial begin
        $readmemb("{tmp_path / "inputs"}", given);
        for (i = 0; i < {len(bits)}; i = i + 1) begin x = given[i]; #1 $display("%b", y); end
      end
    endmodule
    """
    (tmp_path / "bench.v").write_text(bench)
    assert (
        run("iverilog", "-g2001", "-Wall", "-Wno-timescale", "-o", tmp_path / "c.vvp", verilog, tmp_path / "bench.v")
        == ""
    )
    found = re.findall(r"^[01]+$", run("vvp", "-n", tmp_path / "c.vvp"), re.MULTILINE)
    outputs = np.array([[char == "1" for char in row] for row in found])
    assert (decision_words(circuit_of(case), outputs) == answers_of(case, inputs_of(case)[:SIMULATED])).all()
    accepted("Icarus Verilog", f"simulated on {len(bits)} inputs")


@each_small
def test_yosys_synthesizes_threshold_gates(case: Case, tmp_path: Path) -> None:
    aiger = written(case, "aiger", tmp_path / "c.aig")
    verilog, back = written(case, "verilog", tmp_path / "c.v"), tmp_path / "back.aig"
    passes = f"read_verilog {verilog}; proc; techmap; abc -g AND; aigmap; opt_clean; write_aiger -symbols {back}"
    run("yosys", "-q", "-p", passes)
    assert_same_answers(case, *read_aiger(back.read_bytes(), str(back)))
    assert "Networks are equivalent" in run("berkeley-abc", "-q", f"cec {aiger} {back}")
    accepted("Yosys", f"synthesized, on {len(inputs_of(case))} inputs, proved equal to the adders by ABC")


@each_small
def test_abc_finds_adders_equal_to_sorters(case: Case, tmp_path: Path) -> None:
    adder = written(case, "aiger", tmp_path / "adder.aig", thresholds="adder")
    sorter = written(case, "aiger", tmp_path / "sorter.aig", thresholds="sorter")
    assert "Networks are equivalent" in run("berkeley-abc", "-q", f"cec {adder} {sorter}")
    accepted("ABC", "proved equal to adders")


@each_small
def test_abc_tells_a_changed_circuit_apart(case: Case, tmp_path: Path) -> None:
    blif = written(case, "blif", tmp_path / "c.blif")
    lines = blif.read_text().splitlines()
    place = max(k for k, line in enumerate(lines) if line in ("1 1", "0 1"))
    lines[place] = "0 1" if lines[place] == "1 1" else "1 1"
    (tmp_path / "changed.blif").write_text("\n".join(lines) + "\n")
    assert "NOT EQUIVALENT" in run("berkeley-abc", "-q", f"cec {blif} {tmp_path / 'changed.blif'}")


@each
def test_clasp_finds_a_word_of_each_decision(case: Case, tmp_path: Path) -> None:
    circuit = circuit_of(case)
    position = "@1" if circuit.readout.n_positions else ""
    answers = answers_of(case, inputs_of(case)).reshape(len(inputs_of(case)), -1, circuit.readout.n_classes)
    seen = np.flatnonzero(answers[:, 0].sum(axis=0))
    for decision in range(circuit.readout.n_classes):
        opb = written(case, "opb", tmp_path / "c.opb", assertion=f"class={decision}{position}")
        printed = run("clasp", opb, "1", "--quiet=0")
        if "s SATISFIABLE" not in printed:
            assert "s UNSATISFIABLE" in printed
            assert decision not in seen
            accepted("clasp", "no input")
            continue
        values = " ".join(re.findall(r"^v (.*)$", printed, re.MULTILINE)).split()
        true = {int(value[1:]) for value in values if value.startswith("x")}
        bits = np.array([[k + 1 in true for k in range(len(ports_of(circuit).inputs))]])
        inputs = inputs_of_bits(case, bits)
        assert (input_matrix(circuit, inputs) == bits).all()
        assert answers_of(case, inputs).reshape(-1, circuit.readout.n_classes)[0, decision] == 1
        accepted("clasp", "solution replayed")


@pytest.mark.parametrize("case", [Case("majority", 2, 2, 2), *CASES[:2]], ids=str)
def test_clasp_counts_the_words_of_each_decision(case: Case, tmp_path: Path) -> None:
    circuit = circuit_of(case)
    every = np.indices((len(circuit.family.alphabet),) * case.n).reshape(case.n, -1).T
    for decision in range(circuit.readout.n_classes):
        opb = written(case, "opb", tmp_path / "c.opb", assertion=f"class={decision}")
        printed = run("clasp", opb, "0", "--quiet=2")
        found = re.search(r"Models +: (\d+)", printed)
        assert found is not None
        wanted = int(answers_of(case, every)[:, decision].sum())
        assert (int(found[1]), "UNSATISFIABLE" in printed) == (wanted, wanted == 0)
        accepted("clasp", f"counted among {len(every)} words")


def inputs_of_bits(case: Case, bits: np.ndarray) -> np.ndarray:
    """The letters, or codes, of one row of input bits."""
    circuit = circuit_of(case)
    if not circuit.family.inputs:
        return bits.reshape(len(bits), case.n, -1).argmax(axis=-1)
    (source,) = circuit.family.inputs
    digits = bits.reshape(len(bits), source.format.bits, source.size).astype(np.int64)
    return (digits << np.arange(source.format.bits)[:, None]).sum(axis=1) + source.format.lo
