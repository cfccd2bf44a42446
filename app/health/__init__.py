"""Health: the books, indicators, and the life of one record."""
