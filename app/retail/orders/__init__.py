"""Orders as an append-only list of agreements."""
