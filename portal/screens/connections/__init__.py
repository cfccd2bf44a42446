"""Connections: health, limits, pause, a link for a new credential."""
