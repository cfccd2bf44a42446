"""What waits for a person: list, one record, acts on many."""
