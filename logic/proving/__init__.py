"""Proofs by composition: one small lemma for every kind of part, valid at every length."""
