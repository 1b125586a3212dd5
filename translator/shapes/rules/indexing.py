"""Operators that pick or replace entries by indices, and those whose output shape depends on the entries."""

from __future__ import annotations

import numpy as np

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.expressions import Size, minimum, minus, plus
from translator.shapes.values import MOST_ENTRIES, Array, Dims, Tensor, Undecided, known, misfit


def small_integers(content: Array | None) -> Array | None:
    """Known indices as a numpy array."""
    if content is None or not all(isinstance(entry, int) for entry in content.ravel()):
        return None
    return content.astype(np.int64)


@rule("Gather")
def gather(call: Call) -> Tensor:
    """Slices along an axis, at indices of any shape."""
    data, dims = call.tensor(0), call.rank_at_least(0, 1)
    axis = call.axis(call.attribute("axis", 0), len(dims))
    places = small_integers(call.tensor(1).content)
    within_axis(call, dims[axis], places)
    content = None
    if data.content is not None and places is not None:
        content = np.asarray(np.take(data.content, places, axis=axis), dtype=object)
        content = content if content.size <= MOST_ENTRIES else None
    return Tensor("", dims[:axis] + call.dims(1) + dims[axis + 1 :], content)


def within_axis(call: Call, size: Size, places: Array | None) -> None:
    """Known indices, and those that count positions, must not run over the axis."""
    span = call.tensor(1).span
    if places is not None and places.size:
        span = int(places.min()), int(places.max())
    if span is not None:
        why = f"`{call.op}` takes the entries at these positions"
        call.constraints.at_least(size, plus(span[1], 1), why)
        call.constraints.at_least(size, minus(0, span[0]), why)


@rule("GatherElements")
def gather_elements(call: Call) -> Tensor:
    """As many entries as there are indices."""
    dims, indices = call.dims(0), call.dims(1)
    if len(dims) != len(indices):
        raise misfit(f"`GatherElements` takes as many axes in both operands, not {len(dims)} and {len(indices)}")
    return shaped(indices)


@rule("GatherND")
def gather_nd(call: Call) -> Tensor:
    """Entries or slices at index tuples, which stand along the last axis."""
    data, indices = call.tensor(0), call.rank_at_least(1, 1)
    dims, batch = call.dims(0), call.attribute("batch_dims", 0)
    depth = _tuple_length(call, indices, len(dims) - batch)
    content = None
    places = small_integers(call.tensor(1).content)
    if data.content is not None and places is not None and batch == 0:
        content = np.asarray(data.content[index_tuples(call, places, data.content.shape)], dtype=object)
    shared = call.constraints.same_dims(dims[:batch], indices[:batch], "`GatherND` shares batch axes")
    return Tensor("", shared + indices[batch:-1] + dims[batch + depth :], content)


def index_tuples(call: Call, places: Array, shape: tuple[int, ...]) -> tuple[Array, ...]:
    """Indices for numpy, one array for each axis."""
    columns = tuple(np.moveaxis(places, -1, 0))
    for column, size in zip(columns, shape, strict=False):
        if np.any(column < -size) or np.any(column >= size):
            raise misfit(f"`{call.op}` has an index outside of an axis of size {size}")
    if len(columns) > len(shape):
        raise misfit(f"`{call.op}` has index tuples of length {len(columns)} into {len(shape)} axes")
    return columns


def _tuple_length(call: Call, indices: Dims, most: int) -> int:
    depth = indices[-1]
    if not isinstance(depth, int):
        if most == 1:
            call.constraints.same(depth, 1, f"`{call.op}` takes index tuples of length 1")
            return 1
        raise Undecided(f"the length {depth} of the index tuples of `{call.op}` is an expression")
    if depth > most:
        raise misfit(f"`{call.op}` takes index tuples of length {depth} into {most} axes")
    return depth


@rule("ScatterND")
def scatter_nd(call: Call) -> Tensor:
    """The data with entries replaced."""
    data, dims = call.tensor(0), call.dims(0)
    content = None
    places, updates = small_integers(call.tensor(1).content), call.tensor(2).content
    if (
        data.content is not None
        and places is not None
        and updates is not None
        and "reduction" not in call.node.attributes
    ):
        content = data.content.copy()
        where = index_tuples(call, places, content.shape)
        call.constraints.same_dims(call.dims(2), content[where].shape, "`ScatterND` has one update for each index")
        content[where] = updates
    return Tensor("", dims, content)


@rule("ScatterElements", "Scatter", "TensorScatter")
def scatter(call: Call) -> Tensor:
    """The data with entries replaced."""
    return shaped(call.dims(0))


@rule("OneHot")
def one_hot(call: Call) -> Tensor:
    """A new axis of a given size."""
    dims = call.dims(0)
    axis = call.axis(call.attribute("axis", -1), len(dims) + 1)
    return Tensor(call.tensor(2).dtype, (*dims[:axis], call.size(1), *dims[axis:]))


@rule("TopK")
def top_k(call: Call) -> list[Tensor | None]:
    """The greatest entries along an axis, and where they are."""
    dims = list(call.rank_at_least(0, 1))
    axis = call.axis(call.attribute("axis", -1), len(dims))
    count = call.required("k") if "k" in call.node.attributes else call.size(1)
    call.constraints.at_least(dims[axis], count, "`TopK` takes that many entries")
    dims[axis] = minimum(dims[axis], count) if isinstance(dims[axis], int) and isinstance(count, int) else count
    return [shaped(dims), Tensor("int64", tuple(dims))]


@rule("NonZero")
def non_zero(call: Call) -> Tensor:
    """The places of entries that are not 0: of known entries, they are known."""
    content = call.tensor(0).content
    if content is None or not all(isinstance(entry, int | float) for entry in content.ravel()):
        raise Undecided("the output has as many columns as there are entries other than 0", data_dependent=True)
    return known("int64", np.array(np.nonzero(content.astype(bool))))


@rule("Compress", "Unique", "NonMaxSuppression")
def selected(call: Call) -> Tensor:
    """How many entries are selected depends on the entries."""
    raise Undecided(f"how many entries `{call.op}` selects depends on their values", data_dependent=True)


@rule("GridSample")
def grid_sample(call: Call) -> Tensor:
    """The spatial axes of the grid."""
    dims, grid = call.rank_at_least(0, 3), call.rank_at_least(1, 3)
    if len(dims) != len(grid):
        raise misfit(f"`GridSample` takes as many axes in both operands, not {len(dims)} and {len(grid)}")
    batch = call.constraints.same(dims[0], grid[0], "`GridSample` takes one grid for each element of the batch")
    call.constraints.same(grid[-1], len(dims) - 2, "`GridSample` takes one coordinate for each spatial axis")
    return shaped([batch, dims[1], *grid[1:-1]])


@rule("AffineGrid")
def affine_grid(call: Call) -> Tensor:
    """A grid for images of given sizes."""
    batch = call.dims(0, 3)[0]
    size = call.sizes(1)
    if len(size) not in (4, 5):
        raise misfit(f"`AffineGrid` takes 4 or 5 sizes, not {len(size)}")
    batch = call.constraints.same(size[0], batch, "`AffineGrid` takes one matrix for each element of the batch")
    return shaped([batch, *size[2:], len(size) - 2])
