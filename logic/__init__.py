"""First-order logic with majority, FO(M): sentences, their meaning, and proofs about them."""
