"""Retailers: all that a person looks after, one line each."""
