"""SMT: sentences at one length as formulas of linear integer arithmetic. The only package that may import pysmt and z3."""
