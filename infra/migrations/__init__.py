"""Schema versions; expand first, contract in a later release; no imports from the application."""
