"""Products of matrices and tensors: MatMul, Gemm, Einsum."""

from __future__ import annotations

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.expressions import Size
from translator.shapes.values import Dims, Tensor, misfit


def matrix_product(call: Call, a: Dims, b: Dims) -> Dims:
    """The shape of numpy's ``matmul``."""
    if not a or not b:
        raise misfit(f"`{call.op}` takes no scalars")
    left, right = a if len(a) > 1 else (1, *a), b if len(b) > 1 else (*b, 1)
    call.constraints.same(left[-1], right[-2], f"`{call.op}` sums over axes of equal size")
    result = call.constraints.broadcast([left[:-2], right[:-2]], f"`{call.op}` broadcasts its batch axes")
    return result + (left[-2:-1] if len(a) > 1 else ()) + (right[-1:] if len(b) > 1 else ())


@rule("MatMul", "MatMulInteger")
def matmul(call: Call) -> Tensor:
    """Matrices along the last two axes."""
    return shaped(matrix_product(call, call.dims(0), call.dims(1)), "int32" if call.op == "MatMulInteger" else "")


@rule("QLinearMatMul")
def quantized_matmul(call: Call) -> Tensor:
    """The same between quantized matrices; the type is that of the output's zero point."""
    return shaped(matrix_product(call, call.dims(0), call.dims(3)), call.tensor(7).dtype)


@rule("Gemm")
def gemm(call: Call) -> Tensor:
    """Two matrices, either of them transposed, and a term that is broadcast to their product."""
    dims = matrices(call, call.dims(0, 2), call.dims(1, 2))
    if call.has(2):
        added = call.constraints.broadcast([dims, call.dims(2)], "`Gemm` adds C")
        call.constraints.same_dims(dims, added, "`Gemm` adds C, which is no greater than the product")
    return shaped(dims)


def matrices(call: Call, a: Dims, b: Dims) -> tuple[Size, Size]:
    """The shape of a product of two matrices."""
    rows, inner = reversed(a) if call.attribute("transA", 0) else a
    other, columns = reversed(b) if call.attribute("transB", 0) else b
    call.constraints.same(inner, other, f"`{call.op}` sums over axes of equal size")
    return rows, columns


@rule("Einsum")
def einsum(call: Call) -> Tensor:
    """The sizes of the output's letters; an ellipsis stands for broadcast axes."""
    equation = "".join(call.required("equation").split())
    terms, arrow, output = equation.partition("->")
    sides = terms.split(",")
    if len(sides) != len(call.inputs):
        raise misfit(f"`Einsum` has {len(sides)} terms for {len(call.inputs)} operands")
    sizes: dict[str, Size] = {}
    shared: Dims = ()
    for index, term in enumerate(sides):
        shared = _bind(call, term, call.dims(index), sizes, shared)
    if not arrow:
        letters = terms.replace(",", "").replace(".", "")
        output = ("..." if "..." in terms else "") + "".join(
            letter for letter in sorted(set(letters)) if letters.count(letter) == 1
        )
    before, dots, after = output.partition("...")
    unknown = sorted(set(before + after) - set(sizes))
    if unknown:
        raise misfit(f"`Einsum` has the letter {unknown[0]} in its output only")
    return shaped([*map(sizes.__getitem__, before), *(shared if dots else ()), *map(sizes.__getitem__, after)])


def _bind(call: Call, term: str, dims: Dims, sizes: dict[str, Size], shared: Dims) -> Dims:
    """Give the letters of a term their sizes; the broadcast axes so far, with those of this term."""
    before, dots, after = term.partition("...")
    spare = len(dims) - len(before) - len(after)
    if spare < 0 or (spare > 0 and not dots):
        raise misfit(f"the term `{term}` of `Einsum` does not fit {len(dims)} axes")
    named = [*zip(before, dims, strict=False), *zip(after, dims[len(dims) - len(after) :], strict=True)]
    for letter, size in named:
        if letter in sizes and sizes[letter] != size and 1 in (sizes[letter], size):
            sizes[letter] = size if sizes[letter] == 1 else sizes[letter]
            continue
        sizes[letter] = call.constraints.same(sizes.get(letter, size), size, f"`Einsum` has one size for {letter}")
    inner = dims[len(before) : len(before) + spare]
    return call.constraints.broadcast([shared, inner], "`Einsum` broadcasts its ellipsis")
