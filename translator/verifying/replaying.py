"""Replaying an input through every representation: what stands behind each refutation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from logic.verdicts import Counterexample, Refuted
from translator.sides import Sides, Source
from translator.words import format_word

Integers = np.ndarray[Any, np.dtype[np.int64]]

REPRESENTATIONS = ("network", "circuit", "sentence")


@dataclass
class Replay:
    """The sides of a translation, and what they answer on one input."""

    source: Source

    @cached_property
    def sides(self) -> Sides:
        """The evaluators."""
        return Sides(self.source)

    def decisions(self, row: Integers) -> dict[str, Any]:
        """The decision of onnxruntime and of each representation on one input."""
        raw = self.sides.raw(row[None])
        return {side: self.sides.decide(side, raw)[0].tolist() for side in ("onnx", *REPRESENTATIONS)}

    def refute(self, row: Integers, what: str = "decision") -> Refuted:
        """The refutation by an input: that `what`, a decision, its words, or the last formula, differs on it."""
        replayed = self.decisions(row)
        if len({repr(replayed[side]) for side in REPRESENTATIONS}) == 1 and what == "decision":
            for side in REPRESENTATIONS:
                replayed[f"{side} word"] = getattr(self.sides, f"{side}_words")(row[None])[0].tolist()
        if what == "formula":
            replayed["formula"] = np.asarray(self.sides.formula_truth(row[None]))[0].tolist()
        return Refuted(Counterexample(self.show(row), replayed))

    def show(self, row: Integers) -> str:
        """An input as text: the word, or the codes of a static input."""
        if self.source.network.inputs:
            return " ".join(map(str, row.tolist()))
        return format_word(row, self.source.network.alphabet)

    def decided(self) -> str:
        """The decision bit that the last formula should be: as the manifest or the settings say, or the default.

        Raises:
            FomError: the manifest names no decision.
        """
        from logic.family_to_sentence import decision_labels, default_decision
        from translator.pipeline import readout_label

        labels = decision_labels(self.source.family)
        manifest, settings = getattr(self.source, "manifest", None), getattr(self.source, "settings", None)
        named = manifest["readout"]["formula"] if manifest else None
        if settings is not None:
            named = readout_label(self.source.family, settings.readout)
        if named is None:
            return labels[default_decision(self.source.family)]
        if named not in labels:
            raise fail(
                "T060",
                f"the manifest says that the sentence decides `{named}`, which is no decision",
                help="translate again",
            )
        return str(named)
