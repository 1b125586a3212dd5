"""The checker of certificates: replays what others proved. It shares definitions with the rest of fom, and no reasoning."""
