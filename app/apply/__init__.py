"""Configuration by file: read what is wanted, compare it with what is there, make the difference."""
