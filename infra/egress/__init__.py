"""The one way out: resolves, checks and pins addresses, caps size and time."""
