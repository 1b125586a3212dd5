"""What is refused by name: operators outside of fixed depth, and why."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from circuits.diagnostics import Diagnostic
from translator.reading.loading import Operator

RECURRENT = ("LSTM", "GRU", "RNN")
RANDOM = ("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial")
STRINGS = ("StringConcat", "StringSplit", "StringNormalizer", "RegexFullMatch", "TfIdfVectorizer", "LabelEncoder")
DYNAMIC = ("NonZero", "Compress", "Unique", "NonMaxSuppression")


def diagnose(operator: Operator, supported: Collection[str], where: str) -> Diagnostic:
    """Say why an operator that has no lowering is refused."""
    name = operator.op_type
    if operator.domain:
        return Diagnostic(
            "N010",
            f"`{operator.domain}::{name}` is not an operator of ONNX's default domain",
            where,
            "fom knows the meaning of the standard operators only",
            "export without runtime-specific optimizations",
        )
    if name in RANDOM:
        return Diagnostic(
            "N016", f"`{name}` is random", where, "a circuit is a function of its input", "export in evaluation mode"
        )
    if name in STRINGS:
        return Diagnostic(
            "N017", f"`{name}` works on strings", where, "letters are integers", "export from the token ids on"
        )
    if name in DYNAMIC:
        return Diagnostic(
            "N019",
            f"the output shape of `{name}` depends on the input's values",
            where,
            "a circuit has a fixed shape for each n",
            "use a mask instead of a selection",
        )
    near = difflib.get_close_matches(name, list(supported), 1)
    hint = f"did you mean `{near[0]}`?" if near else "export with standard operators of an opset from 7 on"
    return Diagnostic("N011", f"the operator `{name}` is not supported", where, "", hint)
