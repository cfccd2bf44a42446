"""Canonical retail objects: what every connector maps from and to."""
