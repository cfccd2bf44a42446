"""The catalogue of systems: one folder each, found by its manifest, knowing only the SDK."""
