"""Replay with a receipt: choose, preview, start, approve, cancel, and compare promised with happened."""
