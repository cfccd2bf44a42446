"""Canonical retail objects, the connector SDK and the catalogue of systems."""
