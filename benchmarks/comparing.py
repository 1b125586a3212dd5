"""How far methods compare networks with languages: ``python -m benchmarks.comparing FOLDER... [--seconds S] [--methods a,b]``.

Every folder holds a translated network, and its name says which: `LANGUAGES` has the language that it was trained or built for,
`RIVALS` pairs of networks for the same language. Every method decides one length after the other, from the shortest on,
in a process of its own, which is ended when its time is up, so that a solver that does not return is cut. The table says up to
which length all words are decided, or at which length there is a difference, and the seconds until then.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logic.comparing.methods import Finding, Limit, Method
    from logic.comparing.problem import Problem

EVERY = "every length"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Language:
    """What a network is meant to decide, on which words and at which positions."""

    text: str
    where: str | None = None
    at: str | None = None


MAJORITY = Language("#x[b(x)] > #x[a(x)]")
DYCK_1 = Language("(forall x. #y[y <= x & a(y)] >= #y[y <= x & b(y)]) & #x[a(x)] = #x[b(x)]")
SAME = "let same(x, y) := (a(x) & a(y)) | (b(x) & b(y)) | (c(x) & c(y));"
COUNTS = " ".join(f"let class[{number}](x) := #y[same(x, y)] = {number};" for number in range(1, 6))

LANGUAGES = {
    "majority_enc_nope": MAJORITY,
    "majority_torchTE": MAJORITY,
    "anbn_enc_nonorm": Language("(forall x. a(x) -> !b(x - 1)) & #x[a(x)] = #x[b(x)]"),
    "contains_ab_enc_ln": Language("exists x. a(x) & b(x + 1)"),
    "dyck1_dec_rms": DYCK_1,
    "crasp_dyck1": DYCK_1,
    "first_token_dec": Language("let class[0] := a(1); let class[1] := b(1); let class[2] := c(1); true"),
    "histogram_enc": Language(f"{SAME} {COUNTS} true", "d(1) & forall x. x > 1 -> !d(x)", "!d(x)"),
    "parity_d8_short": Language("exists k. #i[b(i)] = k & bit(k, 1)"),
    "chiang_first_exact": Language("b(2)", "c(1) & forall x. x > 1 -> !c(x)"),
}
RIVALS = (("majority_enc_nope", "majority_torchTE"), ("crasp_dyck1", "dyck1_dec_rms"))


class Automatic:
    """What `fom verify` does: the quickest method for each length, as they forecast."""

    name = "auto"

    def obstacle(self, problem: Problem) -> str:
        """None."""
        return ""

    def forecast(self, problem: Problem, n: int) -> float:
        """Nothing is forecast of the choice itself."""
        return 0.0

    def decide(self, problem: Problem, lengths: Sequence[int], limit: Limit) -> Finding:
        """Decide one length after the other, with the choice of the command."""
        from logic.comparing.choosing import decide_lengths
        from logic.comparing.methods import Finding
        from logic.comparing.registry import METHODS

        steps = [step.finding for step in decide_lengths(problem, lengths, limit, METHODS)]
        decided = tuple(n for finding in steps for n in finding.decided)
        last = steps[-1] if steps else Finding(())
        return Finding(decided, last.word, reason=last.reason)


def methods() -> dict[str, Method]:
    """The methods by name: the choice among them first, the monolithic query last."""
    from logic.comparing.registry import METHODS

    return {method.name: method for method in (Automatic(), *METHODS)}


def problem_of(folder: Path, rival: Path | None) -> Problem:
    """The network of a folder and its language, or another network."""
    from logic.comparing.problem import Problem
    from translator import store
    from translator.sentences import read_sentence
    from translator.specification import read_specification

    network = store.load(folder).network
    if rival is not None:
        return Problem(network, store.load(rival).network)
    language = LANGUAGES[folder.name]
    where, at = (
        None if text is None else read_sentence(text, network.alphabet) for text in (language.where, language.at)
    )
    return Problem(network, read_specification(language.text, network), where, at)


def work(folder: Path, rival: Path | None, name: str, seconds: float) -> None:
    """Decide length after length, and print what is known after each."""
    from circuits.network import Network
    from logic.comparing.methods import Limit

    problem = problem_of(folder, rival)
    if name == EVERY:
        every_length(problem, Limit(time.monotonic() + seconds))
        return
    method = methods()[name]
    if why := method.obstacle(problem):
        print(json.dumps({"end": f"does not apply: {why}"}), flush=True)
        return
    networks = [problem.network, *([problem.rival] if isinstance(problem.rival, Network) else [])]
    n = max(network.domain.least for network in networks)
    most = min([network.domain.most or 1 << 16 for network in networks])
    started = time.monotonic()
    limit = Limit(started + seconds)
    while n <= most:
        finding = method.decide(problem, [n], limit)
        fact = {"n": n, "seconds": time.monotonic() - started}
        if finding.word is not None:
            print(json.dumps({**fact, "end": f"**differ at {n}**"}), flush=True)
            return
        if n not in finding.decided:
            print(json.dumps({"end": f"stops: {finding.reason}"}), flush=True)
            return
        print(json.dumps(fact), flush=True)
        n += 1
    print(json.dumps({"end": "the whole domain"}), flush=True)


def every_length(problem: Problem, limit: Limit) -> None:
    """Decide all lengths at once, and print how that ended."""
    from logic.comparing.choosing import decide_everywhere
    from logic.comparing.registry import UNBOUNDED

    started = time.monotonic()
    for step in decide_everywhere(problem, limit, UNBOUNDED):
        spent = f"{time.monotonic() - started:.1f} s"
        if step.finding.word is not None:
            print(json.dumps({"end": f"**differ at {len(step.finding.word)}** ({spent})"}), flush=True)
            return
        if step.finding.everywhere:
            print(json.dumps({"end": f"**every length** ({step.method}, {spent})"}), flush=True)
            return
    print(json.dumps({"end": "no theorem applies, or out of time"}), flush=True)


def measure(folder: Path, rival: Path | None, name: str, seconds: float) -> str:
    """One cell of the table."""
    command = [sys.executable, "-m", "benchmarks.comparing", str(folder), "--work", name, "--seconds", str(seconds)]
    command += ["--rival", str(rival)] if rival is not None else []
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        printed, said = process.communicate(timeout=seconds + 15)
    except subprocess.TimeoutExpired:
        process.kill()
        printed, said = process.communicate()
    facts = [json.loads(line) for line in printed.splitlines()]
    known = [fact for fact in facts if "n" in fact]
    end = next((fact["end"] for fact in facts if "end" in fact), "")
    if not facts and process.returncode not in (0, -9):
        return f"failed: {said.strip().splitlines()[-1]}"
    if not known:
        return end or "nothing"
    spent = f"{known[-1]['seconds']:.1f} s"
    if end.startswith("**"):
        return f"{end} ({spent})"
    return f"n <= {known[-1]['n']} ({spent}){', ' + end if end == 'the whole domain' else ''}"


def table(folders: Sequence[Path], names: Sequence[str], seconds: float) -> None:
    """Print the table, row after row."""
    by_name = {folder.name: folder for folder in folders}
    cases: list[tuple[Path, Path | None]] = [(folder, None) for folder in folders if folder.name in LANGUAGES]
    cases += [(by_name[one], by_name[other]) for one, other in RIVALS if one in by_name and other in by_name]
    print(f"| network | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}", flush=True)
    for folder, rival in cases:
        cells = [measure(folder, rival, name, seconds) for name in names]
        label = folder.name if rival is None else f"{folder.name} and {rival.name}"
        print(f"| {label} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each method and network")
    parser.add_argument("--methods", default="", help="names, separated by commas; all by default")
    parser.add_argument("--rival", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.folders[0], given.rival, given.work, given.seconds)
        return
    names = [name for name in given.methods.split(",") if name] or [EVERY, *methods()]
    table([folder.resolve() for folder in given.folders], names, given.seconds)


if __name__ == "__main__":
    main()
