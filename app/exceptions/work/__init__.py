"""Work on records that wait: who has it, what was said about it, and many at a time."""
