"""What waits for a person: list, read, release, edit, discard."""
