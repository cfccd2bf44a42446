"""Settlement files as a source: what a marketplace says it pays out, line by line."""
