"""How much each input can matter to linear inequalities on boxes: intervals of gradients, followed backwards through the nodes.

Where a step function is not settled on a box, its slope is any between the least and the largest of the pieces that its argument
can meet; the magnitude of the gradient's interval times the width of the box is the smear of an input, by which boxes are cut
(Wang et al., *Formal Security Analysis of Neural Networks using Symbolic Intervals*, USENIX Security 2018). It only guides.
"""

from __future__ import annotations

import numpy as np

from circuits.network import Inputs
from logic.boxes.bounding import Bounder, Bounds
from logic.boxes.outward import Integers, Reals


def influences(bounder: Bounder, known: Bounds, coefs: dict[str, Reals], boxes: Integers) -> Reals:
    """The largest slope in each input of ``sum(coefs[node] * node)``, in magnitude; a row of coefficients for each given box."""
    found = np.zeros((len(boxes), bounder.backward.total))
    slopes = {name: (given, given) for name, given in coefs.items()}
    for node in reversed(bounder.nodes):
        name = node.name
        if name not in slopes:
            continue
        least, most = slopes.pop(name)
        if isinstance(node, Inputs):
            found[:, bounder.columns[name]] = np.maximum(np.abs(least), np.abs(most))
        elif name in bounder.maps:
            middle, half = (least + most) / 2, (most - least) / 2
            for source, weights in bounder.maps[name].operands:
                centre, radius = weights.backward(middle), weights.backward(half, absolute=True)
                before = slopes.get(source, (0.0, 0.0))
                slopes[source] = (before[0] + centre - radius, before[1] + centre + radius)
        elif name in bounder.steps:
            operand = bounder.operands[name]
            span = known.spans[operand]
            own = bounder.steps[name].shape.slope_range(span[0][boxes], span[1][boxes])
            corners = np.stack([slope * factor for slope in (least, most) for factor in own])
            before = slopes.get(operand, (0.0, 0.0))
            slopes[operand] = (before[0] + corners.min(axis=0), before[1] + corners.max(axis=0))
    return found
