"""Replays: what a replay promises, and its receipt."""
