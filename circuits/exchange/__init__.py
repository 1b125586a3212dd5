"""Circuits in the formats of other programs.

`aiger` and `blif` write and read and-inverter graphs; `verilog` writes them, and threshold gates as weighted sums; `opb` states a
circuit as pseudo-Boolean constraints. `ports` names what a circuit reads and answers, in the same way for all of them.
"""
