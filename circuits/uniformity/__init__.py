"""Uniformity, exhibited: ids of nodes, the direct connection language as word programs, and the checks of both."""

from circuits.uniformity.checks import Check
from circuits.uniformity.description import Description, describe
from circuits.uniformity.machine import Machine
from circuits.uniformity.programs import NONE, constant, edge, node, threshold
from circuits.uniformity.report import Report, report

__all__ = [
    "NONE",
    "Check",
    "Description",
    "Machine",
    "Report",
    "constant",
    "describe",
    "edge",
    "node",
    "report",
    "threshold",
]
