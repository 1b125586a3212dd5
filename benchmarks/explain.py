"""Short sentences of translated networks: ``python -m benchmarks.explain DIR... [--timeout S] [--search-length N]``.

DIR is a folder that ``fom translate`` wrote, for a network that reads words and decides between classes. All classes (class 1 of
two) are searched at once, on the words that ``fom explain`` searches first. Printed is the best sentence found for each: its
size, on how many samples it agrees, up to how many nodes the search is complete, and the seconds until the class was done.
With ``--where`` only words in which that sentence holds are considered, with ``--at`` only positions at which a formula holds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from circuits.diagnostics import FomError
from logic.telling import silent
from translator.explanations.explaining import Explainer, Search
from translator.store import load

HEADER = (
    "| network | class | samples | size | agree | complete | seconds | sentence |\n|---|---|---|---|---|---|---|---|"
)


def rows(folder: Path, asked: Search) -> Iterator[str]:
    """The rows of the table for one network."""
    explainer = Explainer(load(folder), asked, silent)
    words, _ = explainer.searched(explainer.lengths[-1])
    found = explainer.search(words, explainer.classes, asked.timeout_s, far=False)
    for place, number in enumerate(explainer.classes):
        best = found.fronts[place][-1]
        text = str(best.sentence.formula).replace("|", "\\|")
        yield (
            f"| {folder.name} | {number} | {best.total} | {best.size} | {best.total - best.wrong} | {found.complete[place]} | "
            f"{found.seconds[place]:.1f} | `{text}` |"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for each network (default: 60)")
    parser.add_argument(
        "--search-length", type=int, metavar="N", help="longest words (default: as many as there is room for)"
    )
    parser.add_argument("--where", help="a sentence: only words in which it holds")
    parser.add_argument("--at", help="a formula: only positions at which it holds")
    given = parser.parse_args()
    print(HEADER)
    for folder in given.folders:
        try:
            asked = Search(search_length=given.search_length, where=given.where, at=given.at, timeout_s=given.timeout)
            for row in rows(folder, asked):
                print(row, flush=True)
        except FomError as problem:
            print(f"| {folder.name} | | | | | | | {str(problem).splitlines()[0]} |", flush=True)


if __name__ == "__main__":
    main()
