"""The person's own sessions."""
