"""Size of certificates, and the time to write and to check them: ``python -m benchmarks.certificates DIR...``."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from logic.checker.certificate import check
from translator.certificates import write_certificate
from translator.store import load
from translator.verification import verify


def main(folders: list[str]) -> None:
    """Print one line for each folder and program."""
    for name in folders:
        artifacts = load(Path(name))
        report = verify(artifacts, method="compositional")
        with tempfile.TemporaryDirectory() as temporary:
            out = Path(temporary) / "certificate"
            started = time.perf_counter()
            write_certificate(report, artifacts, out)
            size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
            print(f"{name}: {size / 1000:,.0f} kB, written in {time.perf_counter() - started:.1f} s")
            result = check(out)
        for part in result.parts:
            print(f"  {part.program:16} {part.count:8,} {part.seconds:8.2f} s  {part.what}: {part.outcome}")
        print(f"  {result.verdict}")


if __name__ == "__main__":
    main(sys.argv[1:])
