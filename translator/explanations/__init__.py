"""What a network learned: short sentences, names for what it computes, programs."""
