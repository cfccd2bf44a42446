"""One pool, one unit of work; every transaction takes one role and one scope."""
