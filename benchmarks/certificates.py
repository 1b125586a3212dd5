"""Size of certificates, and the time to write and to check them.

``python -m benchmarks.certificates DIR...`` certifies network = circuit = sentence at every length; with ``--against TEXT``, that
the network of each folder is what the specification or the other network says.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from logic.checker.certificate import Result, check
from translator.certificates import write_certificate
from translator.store import load
from translator.verification import verify
from translator.verifying.question import Question

PROGRAMS = ("fom", "cvc5", "bitwuzla", "coq")


def main(arguments: list[str]) -> None:
    """Print one row for each folder, and what is checked below it."""
    parser = argparse.ArgumentParser(prog="benchmarks.certificates")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--against", help="a specification, or the folder of another translation")
    given = parser.parse_args(arguments)
    print("| network | claims | kB | write s | " + " | ".join(f"{program} s" for program in PROGRAMS) + " | verdict |")
    print("|---|---|--:|--:|" + "--:|" * len(PROGRAMS) + "---|")
    for name in given.folders:
        print(row(name, given.against), flush=True)


def row(name: str, against: str | None) -> str:
    """Verify, certify and check one folder."""
    artifacts = load(Path(name))
    method = "auto" if against else "compositional"
    question = Question(against=against, method=method)
    report = verify(artifacts, against=against, method=method)
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "certificate"
        started = time.perf_counter()
        write_certificate(report, artifacts, out, question)
        spent = time.perf_counter() - started
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        result = check(out)
    times = " | ".join(f"{seconds(result, program):.2f}" for program in PROGRAMS)
    claims = "; ".join(result.scopes)
    return f"| {Path(name).name} | {claims} | {size / 1000:,.0f} | {spent:.1f} | {times} | {result.verdict} |"


def seconds(result: Result, program: str) -> float:
    """The time of one program."""
    return sum(part.seconds for part in result.parts if part.program.split()[0] == program)


if __name__ == "__main__":
    main(sys.argv[1:])
