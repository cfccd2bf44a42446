"""A retailer's configured systems: settings, credentials, hooks, pace, breaker, the way out to them."""
