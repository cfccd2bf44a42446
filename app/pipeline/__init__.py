"""The path of one event: read, check, decide, route; one record never stops another."""
