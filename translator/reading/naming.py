"""Names that a reader recognizes: the modules of the network that was exported, without what all of them share.

Exporters name weights after the module that owns them (``encoder.layer.0.output.dense.weight``). Where a weight has lost its
name, torch's newer exporter says the module beside the node, and its older one in the names of the outputs
(``/encoder/layer.0/output/Add_output_0``).
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from itertools import takewhile

from translator.reading.assembly import sanitize
from translator.reading.loading import Operator

SCOPES = "pkg.torch.onnx.name_scopes"
CONTRACTIONS = frozenset(["MatMul", "Gemm", "Conv", "Einsum"])


class Naming:
    """Proposes names for what operators make.

    `shared` are the leading modules that all weights lie in, up to a numbered one: a network of one layer still says `layer0`.
    """

    def __init__(self, operators: Sequence[Operator], constants: Container[str]) -> None:
        self.constants = constants
        outer = [module[:-1] for module in map(self.module, operators) if module]
        alike = takewhile(lambda pieces: len(set(pieces)) == 1, zip(*outer, strict=False))
        self.shared = [pieces[0] for pieces in takewhile(lambda pieces: not pieces[0][-1].isdigit(), alike)]

    def is_weight(self, name: str) -> bool:
        """Whether the name is one that an exporter took over from the network."""
        return name in self.constants and "." in name and not name.startswith("onnx::")

    def module(self, operator: Operator) -> list[str]:
        """The module whose weights the operator reads; empty if it reads none, or nothing says whose."""
        for name in operator.inputs:
            if self.is_weight(name):
                pieces = sanitize(name).split(".")
                return pieces[:-1] or pieces
        if operator.op_type in CONTRACTIONS and any(name in self.constants for name in operator.inputs):
            return scopes_of(operator)[0]
        return []

    def propose(self, operator: Operator, scope: str) -> tuple[str, str]:
        """The name for what the operator makes, and its module; `scope` is the module of the operator before it."""
        if module := self.module(operator):
            return self.cut(module), self.cut(module[:-1])
        module, own = scopes_of(operator)
        if own:
            return self.cut([*module, own]), self.cut(module)
        output = operator.outputs[0].removesuffix("_output_0")
        pieces = sanitize(output).split(".")
        return self.cut(pieces), self.cut(pieces[:-1]) if "/" in output else scope

    def cut(self, pieces: list[str]) -> str:
        """A dotted name without the shared modules."""
        shared = len(self.shared)
        return ".".join(pieces[shared:] if pieces[:shared] == self.shared else pieces)


def scopes_of(operator: Operator) -> tuple[list[str], str]:
    """The module that a node comes from and the node's own name, of what torch writes beside it; else nothing."""
    written = [entry.value for entry in operator.proto.metadata_props if entry.key == SCOPES]
    scopes = re.findall(r"'([^']*)'", written[0]) if written else []
    if not scopes:
        return [], ""
    *outer, own = scopes
    return sanitize(outer[-1]).split(".") if outer and outer[-1] else [], sanitize(re.sub(r"_\d+$", "", own))
