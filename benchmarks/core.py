"""The table of benchmarks: ``python -m benchmarks.core [FOLDER...] [--json FILE]``.

For every folder with a ``model.onnx`` a fresh process translates it at ``--precision auto``, saves it, reads it back, evaluates
all sides on the given inputs and verifies the files. What a process has finished when its time is up is reported; the rest is
marked as not reached. Folders may hold ``inputs.npz`` (one array for each ONNX input) and ``expected.npz`` (``decision``, or
``logits`` of a network that answers with numbers), as `examples/README.md` describes them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
Facts = dict[str, Any]

GATE_EVALUATIONS = 300_000_000
MOST_GATES = 3_000_000
MONOLITHIC_DEFINITIONS = 2_500
MONOLITHIC_S = 60.0
MEASURED_LENGTH = 8


class Worker:
    """Measures one folder and writes what is known so far after every stage."""

    def __init__(self, folder: Path, out: Path) -> None:
        self.folder, self.out = folder, out
        self.facts: Facts = {"name": folder.name, "stages": {}}

    def stage(self, name: str, measure: Callable[[], Facts]) -> bool:
        """Run one stage; a diagnostic ends the measurement and is part of the result."""
        from circuits.diagnostics import FomError

        started = time.perf_counter()
        try:
            self.facts.update(measure())
            done = True
        except FomError as error:
            self.facts["diagnostic"] = [f"{found.code}: {found.message}" for found in error.diagnostics]
            done = False
        except MemoryError:
            self.facts["diagnostic"] = ["there is not enough memory"]
            done = False
        self.facts["stages"][name] = round(time.perf_counter() - started, 2)
        self.out.write_text(json.dumps(self.facts), encoding="utf-8")
        return done

    def run(self) -> None:
        """All stages; the later ones work on the files that the first one wrote."""
        with tempfile.TemporaryDirectory(prefix="fom.") as temporary:
            self.saved = Path(temporary) / "translation"
            for name, measure in (
                ("translate", self.translate),
                ("inputs", self.given_inputs),
                ("compositional", lambda: self.verify("compositional")),
                ("exhaustive", lambda: self.verify("exhaustive")),
                ("monolithic", self.monolithic),
            ):
                if not self.stage(name, measure):
                    return

    def translate(self) -> Facts:
        """Translate at ``--precision auto``, save, and read the files back."""
        from translator import report, store
        from translator.pipeline import translate

        model, data = self.folder / "model.onnx", self.folder / "inputs.npz"
        letters = self.letters()
        started = time.perf_counter()
        translation = translate(model, inputs=None if letters or not data.is_file() else data)
        if letters > len(translation.network.alphabet):
            started = time.perf_counter()
            translation = translate(model, alphabet=" ".join(map(str, range(letters))))
        seconds = time.perf_counter() - started
        facts = report.facts_of(translation)
        store.save(translation, self.saved)
        self.artifacts = store.load(self.saved)
        family = translation.family
        domain = translation.network.domain
        n = MEASURED_LENGTH if domain.admits(MEASURED_LENGTH) else (domain.most or domain.least)
        static = not translation.network.alphabet
        return {
            "seconds_translate": round(seconds, 2),
            "peak_mb": peak_mb(),
            "precision": facts["precision"],
            "weight_bits": facts["weight_bits"],
            "tried": facts["tried"],
            "fidelity": facts["fidelity"],
            "size_length": None if static else n,
            "gates": family.gates(1 if static else n),
            "wires": family.wires(1 if static else n),
            "depth": family.depth,
            "definitions": facts["sentence"]["definitions"],
            "sentence_nodes": facts["sentence"]["nodes"],
        }

    def letters(self) -> int:
        """How many letters the given words use."""
        path = self.folder / "inputs.npz"
        if not path.is_file():
            return 0
        with np.load(path) as file:
            array = file[file.files[0]]
        return int(array.max()) + 1 if array.dtype.kind in "iu" else 0

    def given_inputs(self) -> Facts:
        """Decisions of all sides on the given inputs; circuit and sentence for lengths whose cost is bounded."""
        from translator.answering import cases_of_file
        from translator.sides import Sides

        path = self.folder / "inputs.npz"
        if not path.is_file():
            return {}
        sides = Sides(self.artifacts)
        cases = cases_of_file(sides, path)
        wanted = expected_decisions(self.folder / "expected.npz", sides.readout.kind)
        total = {"inputs": 0, "network": 0, "compared": 0, "circuit": 0, "sentence": 0}
        spent, reached = 0, 0
        for group, places in sorted(zip(cases.groups, cases.places, strict=True), key=lambda pair: pair[0].shape[1]):
            network = sides.decide("network", group)
            total["inputs"] += len(group)
            if wanted is not None:
                truth = wanted[places].reshape(len(group), -1)[:, : network.reshape(len(group), -1).shape[1]]
                total["network"] += int((network.reshape(len(group), -1) == truth).all(axis=1).sum())
            n = group.shape[1] if sides.network.alphabet else 1
            gates = sides.family.gates(n)
            spent += gates * len(group)
            if spent > GATE_EVALUATIONS or gates > MOST_GATES:
                continue
            reached = n
            total["compared"] += len(group)
            for side in ("circuit", "sentence"):
                same = (sides.decide(side, group) == network).reshape(len(group), -1).all(axis=1)
                total[side] += int(same.sum())
        return {
            "given": {**total, "up_to": reached if sides.network.alphabet else None, "expected": wanted is not None}
        }

    def verify(self, method: str) -> Facts:
        """Verify the files with one method; exhaustively as far as the command's own budget goes."""
        from logic.telling import silent
        from translator import claims
        from translator.verifying.equality import Equality
        from translator.verifying.question import Question

        started = time.perf_counter()
        chosen = "auto" if method == "exhaustive" else method
        checker = Equality(self.artifacts, Question(method=chosen), silent)
        if method == "exhaustive":
            checker.exhaustive(forced=False)
        else:
            checker.compositional()
        found = [claims.claim_facts(claim) for claim in checker.claims]
        return {method: {"claims": found, "notes": checker.notes, "seconds": round(time.perf_counter() - started, 2)}}

    def monolithic(self) -> Facts:
        """One query for each length from 1 to 3, for the smallest sentences only."""
        from translator import claims, verification

        small = self.facts["definitions"] <= MONOLITHIC_DEFINITIONS and self.artifacts.network.alphabet
        domain = self.artifacts.network.domain
        if not small or domain.least > 3:
            return {}
        report = verification.verify(self.artifacts, method="monolithic", max_length=3, timeout_s=MONOLITHIC_S)
        return {"monolithic": {"claims": [claims.claim_facts(claim) for claim in report.claims]}}


def peak_mb() -> int:
    """The largest resident memory of this process so far."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3))


def expected_decisions(path: Path, kind: str) -> Any:
    """The given decisions of onnxruntime, one row for each case."""
    if not path.is_file():
        return None
    with np.load(path) as file:
        if "decision" in file.files:
            return file["decision"]
        return np.rint(np.nan_to_num(file["logits"], nan=-1)) if kind == "value" else None


def measure(folder: Path, timeout_s: float) -> Facts:
    """Measure one folder in a fresh process."""
    with tempfile.TemporaryDirectory(prefix="fom.") as temporary:
        out = Path(temporary) / "facts.json"
        command = [sys.executable, "-m", "benchmarks.core", "--worker", str(folder), str(out)]
        facts: Facts = {"name": folder.name, "stages": {}}
        error = ""
        try:
            done = subprocess.run(command, cwd=ROOT, timeout=timeout_s, capture_output=True, text=True, check=False)
            if done.returncode:
                error = (done.stderr.strip().splitlines() or ["killed"])[-1]
        except subprocess.TimeoutExpired:
            error = f"not finished within {timeout_s:g} s"
        if out.is_file():
            facts = json.loads(out.read_text(encoding="utf-8"))
        if error:
            facts["stopped"] = error
        return facts


def tables(results: Sequence[Facts]) -> str:
    """Three tables in markdown: what was chosen, how large it is, what was proved."""
    parts: tuple[tuple[tuple[str, ...], Callable[[Facts], list[Any]]], ...] = (
        (("network", "precision", "weight bits", "agrees with onnxruntime", "on", "s", "peak MB"), chosen),
        (("network", "n", "gates", "wires", "depth", "definitions", "sentence nodes"), sizes),
        (("network", "network = onnxruntime", "circuit, sentence = network", "every input of", "s", "every length",
          "lemmas", "s", "one query"), proved),
    )  # fmt: skip
    return "\n".join(table(header, [row(found) for found in results]) for header, row in parts)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A markdown table; all but the first column to the right."""
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join(["---"] + ["--:"] * (len(header) - 1)) + "|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def chosen(found: Facts) -> list[Any]:
    """What `--precision auto` chose, and the measured agreement."""
    name = f"`{found['name']}`"
    if "precision" not in found:
        return [name, *[trouble(found)] + [""] * 5]
    fidelity = found["fidelity"]
    agree = f"{fidelity['agree']:,} of {fidelity['inputs']:,}"
    return [name, found["precision"], found["weight_bits"], agree, fidelity["description"],
            f"{found['seconds_translate']:.1f}", f"{found['peak_mb']:,}"]  # fmt: skip


def sizes(found: Facts) -> list[Any]:
    """Sizes of family and sentence."""
    name = f"`{found['name']}`"
    if "gates" not in found:
        return [name, *[""] * 6]
    numbers = (found[key] for key in ("gates", "wires", "depth", "definitions", "sentence_nodes"))
    return [name, found["size_length"] or "", *(f"{number:,}" for number in numbers)]


def proved(found: Facts) -> list[Any]:
    """Agreement on the given inputs, and the verdicts."""
    name = f"`{found['name']}`"
    if "gates" not in found:
        return [name, *[""] * 8]
    given = found.get("given") or {}
    onnx = f"{given['network']:,} of {given['inputs']:,}" if given.get("expected") else ""
    sides = ""
    if given:
        upto = f" (n ≤ {given['up_to']})" if given["up_to"] and given["compared"] < given["inputs"] else ""
        sides = f"{given['circuit']:,} and {given['sentence']:,} of {given['compared']:,}{upto}"
    every, every_s = verdict(found, "exhaustive")
    always, always_s = verdict(found, "compositional")
    lemmas = sum(claim.get("lemmas", {}).get("total", 0) for claim in found.get("compositional", {}).get("claims", []))
    return [name, onnx, sides, every, every_s, always, lemmas or "", always_s, query(found)]


def verdict(found: Facts, method: str) -> tuple[str, str]:
    """The verdict of one method in words, and its seconds."""
    part = found.get(method)
    if part is None:
        return trouble(found), ""
    claims = part["claims"]
    if not claims:
        return "too expensive", ""
    words = sorted({claim["verdict"] for claim in claims})
    text = words[0] if len(words) == 1 else "; ".join(f"{c['left']} = {c['right']}: {c['verdict']}" for c in claims)
    scopes = {claim["scope"] for claim in claims}
    if method == "exhaustive" and len(scopes) == 1:
        text += f", {scopes.pop()}"
    return text, f"{part['seconds']:.1f}"


def query(found: Facts) -> str:
    """What the single query decided, and in how many seconds."""
    claims = found.get("monolithic", {}).get("claims", [])
    held = "; ".join(f"{claim['verdict']}, {claim['scope']}" for claim in claims if claim["verdict"] != "unknown")
    if any(claim["verdict"] == "unknown" for claim in claims):
        return f"{held}; then none in {MONOLITHIC_S:g} s" if held else f"no answer in {MONOLITHIC_S:g} s"
    return f"{held} ({claims[-1]['seconds']:.1f} s)" if claims else ""


def trouble(found: Facts) -> str:
    """Why a measurement is missing."""
    return "; ".join(found.get("diagnostic", [])) or found.get("stopped", "not measured")


def main(arguments: Sequence[str]) -> None:
    """Measure the folders named, by default the examples, and print the tables."""
    if arguments[:1] == ["--worker"]:
        Worker(Path(arguments[1]), Path(arguments[2])).run()
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks.core", description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="default: the examples")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="S", help="seconds for one folder")
    given = parser.parse_args(arguments)
    folders = given.folders or sorted(path.parent for path in (ROOT / "examples").glob("*/model.onnx"))
    results = []
    for folder in folders:
        print(f"measuring {folder.name}", file=sys.stderr, flush=True)
        results.append(measure(folder.resolve(), given.timeout))
        if given.json is not None:
            given.json.write_text(json.dumps({"schema": 1, "networks": results}, indent=1) + "\n", encoding="utf-8")
    print(tables(results))


if __name__ == "__main__":
    main(sys.argv[1:])
