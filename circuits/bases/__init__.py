"""Other gate bases for the same circuits: unit-weight majority, and AND with negation."""
