"""Deliveries: lanes, claim, attempt, settle, backoff; states as a transition table."""
