"""Walk the graph once, in order: every ONNX tensor becomes an abstract value, and the outputs close the network.

All operators that cannot be lowered are reported together; what depends on a refused tensor is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import Diagnostic, FomError, fail
from translator.reading.assembly import Assembly, sanitize
from translator.reading.checking import check_attributes, check_names, check_scales, check_weights
from translator.reading.closing import close_decision, close_tensors, decision_tensor, live_operators
from translator.reading.code_means import means_of_codes
from translator.reading.context import Context
from translator.reading.folding import FOLDING_ERRORS, fold
from translator.reading.limits import check_size
from translator.reading.loading import Declared, Graph, Operator, inconsistency, load
from translator.reading.naming import Naming
from translator.reading.operators import OPERATORS
from translator.reading.pruning import prune
from translator.reading.refusing import Refusal
from translator.reading.starting import Start, require_none
from translator.reading.unsupported import diagnose
from translator.reading.values import Array, Carried
from translator.reading.walking import is_folded, is_known, is_supported, lower, share, toward_softmax, uses
from translator.real import Domain, Output, RealNetwork, Tensor

LONGEST = 64
OTHERWISE = "export this part of the network in another way; see the list of supported operators"


def read(
    path: str | Path,
    *,
    bind: Mapping[str, Any] | None = None,
    tracks: Mapping[str, str] | None = None,
    alphabet_size: int | None = None,
    longest: int | None = LONGEST,
    whole: bool = False,
) -> RealNetwork:
    """Read the ONNX file at `path` as a network over the real numbers, for every sequence length at once.

    Args:
        path: the file.
        bind: graph inputs fixed to constants, and symbolic dimensions fixed to a number or to another symbol. Masks default
            to all ones, token types to zero, position ids to 0, 1, 2, ..
        tracks: further inputs that become part of the letters, each "letters" or "bits".
        alphabet_size: the number of letters where no embedding table tells it.
        longest: bounds n where positions are computed by a nonlinear function and become a table; None refuses that.
        whole: keep all outputs as whole tensors instead of reading a decision off the first one.

    Raises:
        FomError: with all findings, if the file cannot be read or is outside of what fom translates.
    """
    return read_graph(
        load(path), bind=bind, tracks=tracks, alphabet_size=alphabet_size, longest=longest, whole=whole
    )  # fmt: skip


def read_graph(
    graph: Graph,
    *,
    bind: Mapping[str, Any] | None = None,
    tracks: Mapping[str, str] | None = None,
    alphabet_size: int | None = None,
    longest: int | None = LONGEST,
    whole: bool = False,
) -> RealNetwork:
    """Read a loaded graph; see `read`."""
    constants = dict(bind or {})
    symbols = {dim for declared in graph.inputs for dim in declared.dims if isinstance(dim, str)}
    sizes = {name: constants.pop(name) for name in list(constants) if name in symbols}
    graph = _with_sizes(graph, sizes)
    walk = _Walk(graph, whole, alphabet_size, longest)
    try:
        return walk.run(constants, dict(tracks or {}))
    except FomError:
        if not walk.lengths and longest is None:
            # What is computed from position numbers hides what comes after it: a table of two rows shows that.
            walk = _Walk(graph, whole, alphabet_size, 2)
            with suppress(FomError):
                walk.run(constants, dict(tracks or {}))
        fixed = walk.fitted()
        if fixed is None:
            raise
        only = _Walk(fixed, whole, alphabet_size, longest)
        only.context.assembly.notes += list(walk.lengths.values())
        with suppress(FomError):
            return only.run(constants, dict(tracks or {}))
        raise


def _with_sizes(graph: Graph, sizes: Mapping[str, Any]) -> Graph:
    """Fix symbolic dimensions of the inputs."""
    if not sizes:
        return graph
    known = {name: size if isinstance(size, str) else int(np.asarray(size)) for name, size in sizes.items()}

    def fixed(declared: Declared) -> Declared:
        return replace(declared, dims=tuple(known.get(d, d) if isinstance(d, str) else d for d in declared.dims))

    return replace(graph, inputs=tuple(map(fixed, graph.inputs)), outputs=tuple(map(fixed, graph.outputs)))


class _Walk:
    """One import: values by tensor name, findings, and the network under construction."""

    def __init__(self, graph: Graph, whole: bool, alphabet_size: int | None, longest: int | None) -> None:
        self.graph = graph
        self.whole = whole
        self.alphabet_size = alphabet_size
        self.values: dict[str, Carried] = dict(graph.constants)
        self.findings: list[Diagnostic] = []
        self.failed: set[str] = set()
        self.lengths: dict[int, str] = {}
        decided, self.trimmed = ("", "") if whole else decision_tensor(graph)
        self.outputs = [declared.name for declared in graph.outputs] if whole else [decided]
        self.live = live_operators(graph, self.outputs)
        self.naming = Naming(self.live, graph.constants)
        self.context = Context(Assembly(), graph.opset, alphabet_size or 0, longest)
        self.context.scope = self.values
        self.uses = uses(self.live, ())

    def fitted(self) -> Graph | None:
        """The graph for the one length n that all refusals name; None if they name none, or several."""
        open_ = {dim for own in self.graph.inputs for dim in own.dims[len(own.dims) > 1 :] if not isinstance(dim, int)}
        if len(self.lengths) != 1 or len(open_) != 1:
            return None
        (length,), (symbol,) = self.lengths, open_
        if symbol is not None:
            return _with_sizes(self.graph, {symbol: length})

        def fixed(own: Declared) -> Declared:
            return replace(
                own,
                dims=tuple(
                    length if dim is None and at == len(own.dims) - 1 else dim for at, dim in enumerate(own.dims)
                ),
            )

        return replace(self.graph, inputs=tuple(map(fixed, self.graph.inputs)))

    def run(self, bind: dict[str, Any], tracks: dict[str, str]) -> RealNetwork:
        """Import."""
        self.findings += check_names(self.graph, self.live, self.outputs)
        self.findings += check_attributes(self.graph, self.live)
        require_none(self.findings)
        self.findings += check_weights(self.graph, self.live)
        self.findings += check_scales(self.graph, self.live)
        self._fold_constants()
        self._check_operators()
        require_none(self.findings)
        self.context.toward_softmax = toward_softmax(self.live)
        self.context.means_of_codes = means_of_codes(self.live)
        given = (bind, tracks, self.alphabet_size, self.findings, self.whole)
        start = Start(self.graph, self.live, self.context, self.values, *given)
        inputs = start.read(self.outputs)
        require_none(self.findings)
        for operator in self.live:
            if not all(name in self.values for name in operator.outputs if name):
                self._lower(operator)
        require_none(self.findings)
        if not inputs and not self.whole:
            place = f"{Path(self.graph.path).name}: graph `{self.graph.name}`"
            raise fail("N010", "the output depends on no input", where=place, help="export the network with its input")
        return self._close(inputs)

    def _check_operators(self) -> None:
        for operator in self.live:
            if all(name in self.values for name in operator.outputs if name):
                continue
            if not is_supported(operator, self.graph.opset):
                self.findings.append(diagnose(operator, OPERATORS, self.graph.where(operator)))

    def _fold_constants(self) -> None:
        for operator in self.live:
            if not is_folded(operator) or not all(
                not name or is_known(self.values.get(name, _UNKNOWN)) for name in operator.reads
            ):
                continue
            arrays = [self.values[name] if name else None for name in operator.inputs]
            try:
                check_size(operator, arrays)  # type: ignore[arg-type]
                results = fold(operator, arrays, self.graph.opset)  # type: ignore[arg-type]
            except Refusal as refusal:
                self._refuse(operator, refusal)
                continue
            except FOLDING_ERRORS as error:
                if not is_supported(operator, self.graph.opset):
                    message = "this constant expression cannot be evaluated"
                    self._refuse(operator, Refusal("N008", message, note=str(error)))
                continue
            for name, result in zip(operator.outputs, results, strict=False):
                if name:
                    self.values[name] = result

    def _lower(self, operator: Operator) -> None:
        if any(name in self.failed for name in operator.reads):
            self.failed |= set(operator.outputs)
            return
        context = self.context
        context.operator = operator
        opset, scores = context.opset, context.toward_softmax
        assembly = self.context.assembly
        assembly.hint, assembly.scope = self.naming.propose(operator, assembly.scope)
        try:
            results = lower(context, operator, [self.values[name] if name else None for name in operator.inputs])
        except Refusal as refusal:
            self._refuse(operator, refusal)
            if refusal.length is not None:
                place = self.graph.where(operator)
                self.lengths[refusal.length] = (
                    f"read for words of length {refusal.length} only ({place}: {refusal.message})"
                )
            return
        except MemoryError as error:
            message = "this operator needs more memory than there is"
            self._refuse(operator, Refusal("N069", message, note=str(error)))
            return
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, ArithmeticError):
            # An ill-typed graph breaks somewhere in numpy; a well-typed one that does is a bug, and stays one.
            reason = inconsistency(self.graph.model)
            if reason is None:
                raise
            message = "the shapes or types in the file contradict each other"
            self._refuse(operator, Refusal("N006", message, note=reason, help="export the network again"))
            return
        finally:
            context.scope, context.opset, context.toward_softmax = self.values, opset, scores
        for name, value in zip(operator.outputs, results, strict=False):
            if name:
                self.values[name] = value
                share(value, self.uses.get(name, 0))
        self.failed |= {name for name in operator.outputs if name and name not in self.values}

    def _refuse(self, operator: Operator, refusal: Refusal) -> None:
        self.findings.append(
            Diagnostic(
                refusal.code, refusal.message, self.graph.where(operator), refusal.note, refusal.help or OTHERWISE
            )
        )
        self.failed |= set(operator.outputs)

    def _close(self, inputs: Any) -> RealNetwork:
        """Read the outputs."""
        context, assembly = self.context, self.context.assembly
        context.operator = None
        output: Output | None = None
        tensors: list[Tensor] = []
        for name, declared in zip(self.outputs, self.graph.outputs, strict=False):
            place = f"{Path(self.graph.path).name}: graph `{self.graph.name}`, output `{declared.name}`"
            assembly.hint = sanitize(name)
            value = self.values[name]
            try:
                if self.whole:
                    tensors += close_tensors(context, value, declared)
                else:
                    output = close_decision(context, value, declared.name, self.trimmed)
            except Refusal as refusal:
                raise fail(
                    refusal.code, refusal.message, where=place, note=refusal.note, help=refusal.help
                ) from refusal
        if context.most is not None and context.most < context.least:
            raise fail(
                "N061",
                f"no length fits: at least {context.least}, at most {context.most}",
                where=f"{Path(self.graph.path).name}: graph `{self.graph.name}`",
                note="; ".join(context.reasons),
                help="export with more rows in the position table",
            )
        if self.trimmed:
            assembly.notes.append(f"the final {self.trimmed} is not translated: it does not change the decision")
        wanted = [ref.node for tensor in tensors for _, ref in tensor.parts] + ([output.ref.node] if output else [])
        return RealNetwork(
            prune(tuple(assembly.nodes), wanted),
            output,
            Domain(context.least, context.most, "; ".join(dict.fromkeys(context.reasons))),
            inputs,
            context.alphabet_size if assembly.letters else 0,
            tuple(dict.fromkeys(assembly.notes)),
            tuple(tensors),
        )


_UNKNOWN: Array = np.empty((), dtype=object)
